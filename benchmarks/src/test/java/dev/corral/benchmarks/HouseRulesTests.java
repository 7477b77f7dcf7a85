package dev.corral.benchmarks;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** All modules are on this one's class path: the arrows between them are held here for all. */
@AnalyzeClasses(packages = "dev.corral", importOptions = ImportOption.DoNotIncludeTests.class)
class HouseRulesTests {

    @ArchTest
    static final ArchRule packagesWhenTheyDependOnEachOtherAreAcyclic = slices().matching("dev.corral.benchmarks.(*)..")
            .should()
            .beFreeOfCycles()
            .because("a package that needs its users cannot be understood without them");

    @ArchTest
    static final ArchRule benchmarksWhenMadeAreKnownToNobody = noClasses()
            .that()
            .resideOutsideOfPackage("dev.corral.benchmarks..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.corral.benchmarks..")
            .because("what is measured must run without what measures it");

    @ArchTest
    static final ArchRule quantizationWhenMadeIsKnownToBenchmarksOnly = noClasses()
            .that()
            .resideOutsideOfPackages("dev.corral.quantization..", "dev.corral.benchmarks..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.corral.quantization..")
            .because("guards are made before the gateway runs: it must start without the tools that make them");

    @ArchTest
    static final ArchRule onnxRuntimeWhenUsedIsUsedByOnePackage = noClasses()
            .that()
            .resideOutsideOfPackage("dev.corral.guardmodels.onnx..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.onnxruntime..")
            .because("products must be run with the settings of the decoder that they are the limit of");
}
