package dev.corral.guardmodels;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import ai.onnxruntime.OrtEnvironment;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;
import java.time.Instant;

@AnalyzeClasses(packages = "dev.corral.guardmodels", importOptions = DoNotIncludeTests.class)
class HouseRulesTests {

    @ArchTest
    static final ArchRule onnxWhenImportedIsImportedByOnePackage = noClasses()
            .that()
            .resideOutsideOfPackage("..guardmodels.onnx..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.onnxruntime..")
            .because("everything else must work with a scripted model, and with another runtime");

    @ArchTest
    static final ArchRule runtimeWhenInitialisedIsQuiet = noClasses()
            .that()
            .haveNameNotMatching(".*\\.QuietRuntime\\b.*")
            .should()
            .callMethod(OrtEnvironment.class, "getEnvironment")
            .because("ONNX Runtime sends events to its vendor unless it is told not to before anything else");

    @ArchTest
    static final ArchRule djlWhenImportedIsImportedByOnePackage = noClasses()
            .that()
            .resideOutsideOfPackage("..guardmodels.tokenizer..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.djl..")
            .because("the tokenizer package takes the special tokens out; going around it would let users write them");

    @ArchTest
    static final ArchRule picocliWhenImportedIsImportedByCommands = noClasses()
            .that()
            .resideOutsideOfPackages("..guardmodels.assess..", "..guardmodels.evaluation..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("picocli..")
            .because("guards are used by servers, too");

    @ArchTest
    static final ArchRule packagesWhenTheyDependOnEachOtherAreAcyclic = slices().matching(
                    "dev.corral.guardmodels.(*)..")
            .should()
            .beFreeOfCycles()
            .because("arrows never turn");

    @ArchTest
    static final ArchRule gatewayWhenGuardsAreBuiltIsUnknown = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "dev.corral.gateway..", "dev.corral.quantization..", "org.springframework..", "reactor..")
            .because("the gateway and the converter depend on the guards, never the other way");

    @ArchTest
    static final ArchRule environmentWhenReadIsReadByNobodyHere = noClasses()
            .should()
            .callMethod(System.class, "getenv")
            .orShould()
            .callMethod(System.class, "getenv", String.class)
            .because("a guard is configured by its directory and its caller");

    @ArchTest
    static final ArchRule clockWhenReadIsReadToMeasureGuardsOnly = noClasses()
            .that()
            .resideOutsideOfPackage("..guardmodels.evaluation..")
            .should()
            .dependOnClassesThat()
            .areAssignableTo(Clock.class)
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .because("deadlines are the caller's; it interrupts");

    @ArchTest
    static final ArchRule namesWhenGivenSayWhatAClassIs = classes()
            .should()
            .haveSimpleNameNotEndingWith("Util")
            .andShould()
            .haveSimpleNameNotEndingWith("Utils")
            .andShould()
            .haveSimpleNameNotEndingWith("Helper")
            .andShould()
            .haveSimpleNameNotEndingWith("Manager")
            .because("such a name hides that nobody knows where the code belongs");
}
