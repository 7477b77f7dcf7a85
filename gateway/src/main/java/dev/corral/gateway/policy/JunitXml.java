package dev.corral.gateway.policy;

import dev.corral.policies.policy.PolicyTester.Result;
import java.util.List;

/** Results in the form that continuous integration reads. */
final class JunitXml {

    private JunitXml() {}

    static void suite(String file, List<Result> results, StringBuilder xml) {
        long failed = results.stream().filter(result -> !result.passed()).count();
        xml.append("  <testsuite name=\"")
                .append(escaped(file))
                .append("\" tests=\"")
                .append(results.size())
                .append("\" failures=\"")
                .append(failed)
                .append("\">\n");
        for (Result result : results) {
            xml.append("    <testcase classname=\"")
                    .append(escaped(file))
                    .append("\" name=\"line ")
                    .append(result.test().location().line())
                    .append('"');
            if (result.passed()) {
                xml.append("/>\n");
            } else {
                xml.append(">\n      <failure message=\"")
                        .append(escaped(String.join("; ", result.failures())))
                        .append("\"/>\n    </testcase>\n");
            }
        }
        xml.append("  </testsuite>\n");
    }

    static String document(StringBuilder suites) {
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n" + suites + "</testsuites>\n";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace("\"", "&quot;")
                .replaceAll("[\\p{Cntrl}]", " ");
    }
}
