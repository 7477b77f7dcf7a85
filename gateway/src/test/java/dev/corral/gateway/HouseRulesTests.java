package dev.corral.gateway;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.belongToAnyOf;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.corral.gateway.admission.RequestBody;
import dev.corral.gateway.exchange.HeapBytes;
import dev.corral.gateway.exchange.WireResponses;
import java.time.Clock;
import java.time.Instant;
import java.time.InstantSource;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

@AnalyzeClasses(packages = "dev.corral.gateway", importOptions = ImportOption.DoNotIncludeTests.class)
class HouseRulesTests {

    @ArchTest
    static final ArchRule packages = slices().matching("dev.corral.gateway.(**)")
            .should()
            .beFreeOfCycles()
            .because("a package that needs its users cannot be understood without them");

    @ArchTest
    static final ArchRule buffers = noClasses()
            .that()
            .resideOutsideOfPackages("..dialect..", "..moderation..")
            .and(not(belongToAnyOf(HeapBytes.class, RequestBody.class, WireResponses.class)))
            .should()
            .dependOnClassesThat()
            .areAssignableTo(DataBuffer.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(DataBufferFactory.class)
            .because(
                    "Netty's counted buffers leak where somebody forgets them; HeapBytes takes the bytes out of them at the"
                            + " door, RequestBody and WireResponses put bytes back in");

    @ArchTest
    static final ArchRule blocking = noClasses()
            .that(not(simpleName("StartReport")))
            .should()
            .callMethodWhere(describe(
                    "blocks",
                    call -> call.getName().startsWith("block")
                            && (call.getTargetOwner().isEquivalentTo(Mono.class)
                                    || call.getTargetOwner().isEquivalentTo(Flux.class))))
            .because("an event loop that waits serves nobody; StartReport waits before there is anybody to serve");

    @ArchTest
    static final ArchRule schedulers = noClasses()
            .that(not(simpleName("ReactiveGuard"))
                    .and(not(simpleName("IdleTimeout")))
                    .and(not(simpleName("Clock")))
                    .and(not(simpleName("StreamClock")))
                    .and(not(simpleName("UpstreamBody"))))
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Schedulers.class)
            .because("who runs on which thread must be readable in one place: the guard's lanes, the idle clock,"
                    + " the time of streams, and the threads of upstream connections");

    @ArchTest
    static final ArchRule clocks = noClasses()
            .that(not(resideInAnyPackage("..dialect..", "..translation..", "..demo..", "..audit..")))
            .and(not(simpleName("ModerationConfiguration")))
            .and(not(simpleName("UpstreamConfiguration")))
            .and(not(simpleName("ModeratedExchange")))
            .and(not(simpleName("ExchangeLog")))
            .should()
            .dependOnClassesThat()
            .belongToAnyOf(Clock.class, Instant.class, InstantSource.class)
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .because("time that nobody can set makes tests that nobody can trust");

    @ArchTest
    static final ArchRule environment = noClasses()
            .should()
            .callMethod(System.class, "getenv")
            .orShould()
            .callMethod(System.class, "getenv", String.class)
            .orShould()
            .callMethod(System.class, "getProperty", String.class)
            .because("every setting is in CorralProperties, where it has a default, a rule and a test");
}
