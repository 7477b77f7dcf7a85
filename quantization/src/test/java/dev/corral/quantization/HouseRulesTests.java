package dev.corral.quantization;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "dev.corral", importOptions = ImportOption.DoNotIncludeTests.class)
class HouseRulesTests {

    @ArchTest
    static final ArchRule packagesAreAcyclic = slices().matching("dev.corral.quantization.(*)..")
            .should()
            .beFreeOfCycles()
            .because("a package that needs another one's user cannot be understood alone");

    @ArchTest
    static final ArchRule nobodyDependsOnQuantization = noClasses()
            .that()
            .resideOutsideOfPackage("dev.corral.quantization..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.corral.quantization..")
            .because("guards are made before the gateway runs: it must start without the tools that make them");

    @ArchTest
    static final ArchRule onnxRuntimeStaysInGuardModels = noClasses()
            .that()
            .resideInAPackage("dev.corral.quantization..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.onnxruntime..")
            .because("graphs are written as bytes; what runs them is guard-models' business");

    @ArchTest
    static final ArchRule sameInputGivesSameBytes = noClasses()
            .that()
            .resideInAPackage("dev.corral.quantization..")
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .dependOnClassesThat()
            .haveFullyQualifiedName("java.util.Random")
            .because("a guard must be reproducible from its sources and its recipe alone");

    @ArchTest
    static final ArchRule environmentIsReadInOnePlace = noClasses()
            .that()
            .resideInAPackage("dev.corral.quantization..")
            .and()
            .doNotHaveSimpleName("ModelCommand")
            .should()
            .callMethod(System.class, "getenv")
            .orShould()
            .callMethod(System.class, "getenv", String.class)
            .because("where models lie and whose token is sent is the user's; what a guard is made of is not");

    @ArchTest
    static final ArchRule networkIsForTheHubsClient = noClasses()
            .that()
            .resideInAPackage("dev.corral..")
            .and()
            .resideOutsideOfPackages(
                    "dev.corral.quantization.hub..", "dev.corral.guardmodels.remote..", "dev.corral.gateway..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.net.http..")
            .because("everything else works on a machine without a network");
}
