package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Report.Entry;
import dev.corral.gateway.policy.Report.Level;
import dev.corral.policies.policy.CompiledPolicy;
import dev.corral.policies.policy.GuardSight;
import dev.corral.policies.policy.Policies;
import dev.corral.policies.policy.PolicyRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code corral policy which}. */
@Command(
        name = "which",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 100,
        description = {"Says which policy of a folder an exchange is under, and why the others are not."})
final class PolicyWhich implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "DIR", description = "The folder of corral.policy.directory.")
    private @Nullable Path directory;

    @Option(names = "--tenant", description = "The tenant.")
    private String tenant = "";

    @Option(names = "--route", description = "The route's id.")
    private String route = "";

    @Option(names = "--named", description = "The policy that the route's filter Moderate names.")
    private @Nullable String named;

    @Option(names = "--default", paramLabel = "NAME", description = "The default policy.", defaultValue = "default")
    private String defaultName = "default";

    @Option(names = "--format", description = "${COMPLETION-CANDIDATES} (default: text).")
    private Format format = Format.text;

    @Mixin
    private final GuardChoice guard = new GuardChoice();

    @Override
    public Integer call() throws IOException {
        GuardSight sight = guard.sight();
        List<CompiledPolicy> policies = new ArrayList<>();
        try (Stream<Path> files = Files.list(Objects.requireNonNull(directory))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".yaml"))
                    .sorted()
                    .toList()) {
                policies.add(Policies.load(file, sight));
            }
        }
        if (policies.stream().noneMatch(policy -> policy.name().equals(defaultName))) {
            policies.add(Policies.loadDefault(sight));
        }
        PolicyRegistry registry = new PolicyRegistry(policies);
        CompiledPolicy policy = registry.resolve(tenant, route, Optional.ofNullable(named), defaultName);
        switch (format) {
            case text -> print(policy, policies);
            case json -> out().println(Report.write(json(policy, policies)));
            case sarif -> out().println(Report.sarif(List.of(entry(policy))));
        }
        out().flush();
        return 0;
    }

    private static Entry entry(CompiledPolicy policy) {
        String file = policy.policy().source().origin();
        return new Entry("WHICH", Level.note, "the exchange is under " + policy.revision(), file, 0, 0);
    }

    private static ObjectNode json(CompiledPolicy policy, List<CompiledPolicy> policies) {
        ObjectNode json = Report.JSON
                .objectNode()
                .put("policy", policy.revision())
                .put("file", policy.policy().source().origin());
        ArrayNode all = json.putArray("policies");
        for (CompiledPolicy other : policies) {
            ObjectNode each = all.addObject().put("policy", other.revision());
            other.policy().appliesTo().tenants().forEach(each.putArray("tenants")::add);
            other.policy().appliesTo().routes().forEach(each.putArray("routes")::add);
        }
        return json;
    }

    private void print(CompiledPolicy policy, List<CompiledPolicy> policies) {
        out().println(policy.revision() + " from " + policy.policy().source().origin());
        out().println(
                        "Order: the policy that applies to tenant and route, to the tenant, the one that the route names,");
        out().println("the one that applies to the route, the default.");
        for (CompiledPolicy other : policies) {
            out().println("  " + other.name() + ": tenants "
                    + other.policy().appliesTo().tenants() + ", routes "
                    + other.policy().appliesTo().routes());
        }
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
