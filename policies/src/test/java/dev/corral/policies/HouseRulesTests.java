package dev.corral.policies;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;

@AnalyzeClasses(packages = "dev.corral.policies", importOptions = ImportOption.DoNotIncludeTests.class)
class HouseRulesTests {

    @ArchTest
    static final ArchRule packagesAreFreeOfCycles = slices().matching("dev.corral.policies.(**)")
            .should()
            .beFreeOfCycles()
            .because("a package that is part of a cycle cannot be understood alone");

    @ArchTest
    static final ArchRule taxonomyKnowsNothingElse = classes()
            .that()
            .resideInAPackage("..policies.taxonomy..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("java..", "org.jspecify..", "dev.corral.policies.taxonomy..")
            .because("hazards are the vocabulary in which guards report and policies decide");

    @ArchTest
    static final ArchRule assessmentsDoNotKnowPolicies = noClasses()
            .that()
            .resideInAPackage("..policies.assessment..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("..policies.policy..")
            .because("a guard reports the same whatever is done about it");

    @ArchTest
    static final ArchRule policiesArePureJava = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java..",
                    "org.jspecify..",
                    "org.snakeyaml.engine..",
                    "com.google.re2j..",
                    "dev.cel..",
                    "com.google.common.collect..",
                    "dev.corral.policies..")
            .because("policies must be usable without a server, a framework or a guard");

    @ArchTest
    static final ArchRule onlyTheParserKnowsYaml = noClasses()
            .that()
            .haveNameNotMatching(
                    ".*\\.policy\\.(YamlFile|Inheritance|Value|Fields|Problems|RuleParser|HazardParser|TestParser|PolicyFormatter)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.snakeyaml..")
            .because("a policy is more than the format that it is written in");

    @ArchTest
    static final ArchRule onlyExpressionsKnowCel = noClasses()
            .that()
            .resideOutsideOfPackage("..policies.expression..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.cel..", "com.google.common..")
            .because("the language of conditions is checked in one place");

    @ArchTest
    static final ArchRule decisionsDoNotDependOnTheEnvironment = noClasses()
            .should()
            .callMethod(System.class, "getenv")
            .orShould()
            .callMethod(System.class, "getenv", String.class)
            .orShould()
            .callMethod(System.class, "getProperty", String.class)
            .orShould()
            .callMethod(System.class, "getProperty", String.class, String.class)
            .because("the same policy and the same assessments must give the same decision everywhere");

    @ArchTest
    static final ArchRule decisionsDoNotDependOnTheTime = noClasses()
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(LocalDate.class, "now")
            .orShould()
            .callMethod(LocalDateTime.class, "now")
            .orShould()
            .callMethod(OffsetDateTime.class, "now")
            .orShould()
            .callMethod(ZonedDateTime.class, "now")
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Clock.class)
            .because("recorded traffic must be replayed with the decisions that it got");

    @ArchTest
    static final ArchRule onlyPoliciesReadsFiles = noClasses()
            .that()
            .doNotHaveSimpleName("Policies")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.nio.file..", "java.net..")
            .because("a policy cannot reach beyond its own folder");
}
