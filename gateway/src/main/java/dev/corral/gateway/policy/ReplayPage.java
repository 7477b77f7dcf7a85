package dev.corral.gateway.policy;

import dev.corral.gateway.policy.Replay.Lines;
import dev.corral.gateway.policy.Replay.Met;
import java.util.List;

/** A replay as a page for a browser: one file, without scripts, that loads nothing. */
final class ReplayPage {

    private static final String STYLE = """
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
            table { border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }
            th, td { text-align: left; vertical-align: top; padding: .4rem .8rem; border-bottom: 1px solid #8884; }
            td.number { text-align: right; font-variant-numeric: tabular-nums; }
            ul { margin: 0; padding-left: 1rem; }
            :root { color-scheme: light dark; }
            """;

    private final StringBuilder page = new StringBuilder();
    private final boolean showTexts;

    private ReplayPage(boolean showTexts) {
        this.showTexts = showTexts;
    }

    static String of(Replay replay, String traffic, int broken, boolean showTexts) {
        return new ReplayPage(showTexts).write(replay, traffic, broken);
    }

    private String write(Replay replay, String traffic, int broken) {
        String revision = replay.policy().revision();
        page.append("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>")
                .append(escaped(revision))
                .append("</title>\n<style>\n")
                .append(STYLE)
                .append("</style>\n<h1>What recorded traffic would have met</h1>\n<p>")
                .append(escaped(revision + " on " + traffic + ": " + PolicyReplay.lines(replay.rows())
                        + PolicyReplay.notes(replay, broken)))
                .append(".</p>\n");
        table("Decision", "Rules", "Hazards", "Lines", "Share", "Examples");
        replay.decisions().forEach(entry -> {
            Met met = entry.getKey();
            int count = entry.getValue().count();
            row(
                    List.of(Report.word(met.outcome()), PolicyReplay.rules(met), PolicyReplay.hazards(met)),
                    List.of("" + count, PolicyReplay.share(count, replay.rows())),
                    entry.getValue());
        });
        page.append("</table>\n");
        replay.other().ifPresent(other -> {
            page.append("<h2>What ").append(escaped(other.revision())).append(" decides differently</h2>\n");
            if (replay.changes().isEmpty()) {
                page.append("<p>Nothing.</p>\n");
                return;
            }
            table("Difference", "Lines", "Examples");
            replay.changes()
                    .forEach(entry -> row(
                            List.of(PolicyReplay.change(entry.getKey())),
                            List.of("" + entry.getValue().count()),
                            entry.getValue()));
            page.append("</table>\n");
        });
        return page.append("</html>\n").toString();
    }

    private void table(String... heads) {
        page.append("<table>\n<tr>");
        for (String head : heads) {
            page.append("<th>").append(head).append("</th>");
        }
        page.append("</tr>\n");
    }

    private void row(List<String> words, List<String> numbers, Lines lines) {
        page.append("<tr>");
        words.forEach(word -> page.append("<td>").append(escaped(word)).append("</td>"));
        numbers.forEach(
                number -> page.append("<td class=\"number\">").append(number).append("</td>"));
        page.append("<td>");
        if (showTexts) {
            page.append("<ul>");
            lines.examples()
                    .forEach(example -> page.append("<li>")
                            .append(example.line())
                            .append(": ")
                            .append(escaped(example.text()))
                            .append("</li>"));
            page.append("</ul>");
        } else {
            page.append(escaped(PolicyReplay.places(lines)));
        }
        page.append("</td></tr>\n");
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
