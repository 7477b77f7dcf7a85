package dev.corral.guardmodels.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.corral.guardmodels.measurement.Bootstrap;
import dev.corral.guardmodels.measurement.Candidate;
import dev.corral.guardmodels.measurement.Judged;
import dev.corral.guardmodels.measurement.Rows;
import dev.corral.guardmodels.measurement.Study;
import dev.corral.guardmodels.measurement.ThresholdSuggestion;
import dev.corral.policies.taxonomy.StandardHazard;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

class HtmlReportTests {

    private static final String HOSTILE = "</td><script>alert(1)</script>&\"'\u0000\u001b";

    private static Report report(List<Judged> rows, int guards, boolean showTexts) throws Exception {
        List<Candidate> candidates =
                guards == 1 ? List.of(Rows.CANDIDATE) : List.of(Rows.candidate("A"), Rows.candidate("B"));
        Study study = Study.of(candidates, rows, new Bootstrap(100, 1), 0.5, 10);
        return new Report(
                "data<1>.jsonl",
                List.of(),
                List.of(),
                new Report.Conditions(100, 1, 2),
                study,
                Optional.empty(),
                guards == 1 && study.all().unsafe() < study.all().rows() && rows.size() > 100
                        ? Optional.of(ThresholdSuggestion.of(Rows.CANDIDATE, rows, 0.1))
                        : Optional.empty(),
                showTexts);
    }

    /** The page as XML, which knows no element without an end. */
    private static Document parse(String page) throws ParserConfigurationException, IOException, SAXException {
        String xml = page.replace("<!doctype html>", "").replaceAll("(<meta [^>]*)>", "$1/>");
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
    }

    private static List<Element> elements(Document page, String tag) {
        NodeList nodes = page.getElementsByTagName(tag);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    @Test
    void ofWhenOneIsEvaluatedHasAllChartsWithTitlesAndTables() throws Exception {
        Document page = parse(HtmlReport.of(report(Rows.random(1, 300, 1), 1, false)));
        assertAccessible(page);
        assertThat(elements(page, "figure"))
                .extracting(figure -> figure.getAttribute("id"))
                .containsExactly(
                        "roc-figure",
                        "precision-figure",
                        "sweep-figure",
                        "calibration-figure",
                        "hazard-S1-figure",
                        "hazard-S9-figure",
                        "hazard-S10-figure");
    }

    @Test
    void ofWhenTwoAreComparedHasTheHistogramToo() throws Exception {
        Document page = parse(HtmlReport.of(report(Rows.random(2, 300, 2), 2, false)));
        assertAccessible(page);
        assertThat(elements(page, "figure"))
                .extracting(figure -> figure.getAttribute("id"))
                .contains("histogram-figure", "roc-figure", "hazard-S9-figure");
        long rows = elements(page, "rect").stream()
                .mapToLong(bar -> Long.parseLong(bar.getTextContent().replaceAll(".*: ([0-9]+) rows", "$1")))
                .sum();
        assertThat(rows).isEqualTo(300);
    }

    private static void assertAccessible(Document page) {
        List<String> ids = new ArrayList<>();
        for (Element element : elements(page, "*")) {
            if (element.hasAttribute("id")) {
                ids.add(element.getAttribute("id"));
            }
        }
        assertThat(ids).doesNotHaveDuplicates();
        for (Element figure : elements(page, "figure")) {
            NodeList charts = figure.getElementsByTagName("svg");
            for (int i = 0; i < charts.getLength(); i++) {
                Element chart = (Element) charts.item(i);
                if (!chart.hasAttribute("aria-hidden")) {
                    assertThat(chart.getAttribute("role")).isEqualTo("img");
                    assertThat(ids)
                            .contains(chart.getAttribute("aria-labelledby").split(" "));
                    assertThat(figure.getElementsByTagName("table").getLength()).isOne();
                }
            }
            assertThat(figure.getElementsByTagName("table").getLength()).isOne();
        }
        assertThat(elements(page, "a"))
                .isNotEmpty()
                .allSatisfy(link ->
                        assertThat(ids).contains(link.getAttribute("href").substring(1)));
        assertThat(elements(page, "table"))
                .allSatisfy(table -> assertThat(
                                table.getElementsByTagName("caption").getLength())
                        .isOne());
    }

    @Test
    void ofWhenThereIsAPageItNeedsNothingElse() throws Exception {
        String page = HtmlReport.of(report(Rows.random(3, 200, 2), 2, true));
        assertThat(page)
                .doesNotContain("http://", "https://", "<script", "<link", "<img", "@import", "url(", "NaN", "Infinity")
                .contains(
                        "default-src 'none'".replace("'", "&#39;"), "prefers-color-scheme: dark", "width=device-width");
        assertThat(Pattern.compile(" (?:src|href)=\"([^\"]*)\"")
                        .matcher(page)
                        .results()
                        .map(match -> match.group(1)))
                .allMatch(target -> target.startsWith("#"));
    }

    @Test
    void ofWhenTextsAreHostileEscapesThem() throws Exception {
        List<Judged> rows = List.of(
                Rows.judged(Rows.row(1, false, HOSTILE), StandardHazard.S1, 0.9),
                Rows.judged(Rows.row(2, true, HOSTILE), StandardHazard.S1, 0.2));
        String page = HtmlReport.of(report(rows, 1, true));
        assertThat(page).doesNotContain("<script", "\u0000", "\u001b").contains("&lt;script&gt;alert(1)");
        assertThat(elements(parse(page), "td"))
                .anySatisfy(cell -> assertThat(cell.getTextContent()).startsWith("</td><script>alert(1)</script>&\"'"));
        assertThat(HtmlReport.of(report(rows, 1, false))).doesNotContain("alert(1)");
    }

    @Test
    void ofWhenCurvesAreDrawnStaysInsideTheChart() throws Exception {
        Document page = parse(HtmlReport.of(report(Rows.random(4, 300, 1), 1, false)));
        List<Double> numbers = elements(page, "path").stream()
                .flatMap(path -> Pattern.compile("-?[0-9.]+")
                        .matcher(path.getAttribute("d"))
                        .results())
                .map(MatchResult::group)
                .map(Double::parseDouble)
                .toList();
        assertThat(numbers).hasSizeGreaterThan(100).allMatch(number -> number >= 0 && number <= 400);
    }

    @Test
    void ofWhenOnlyOneKindIsThereLeavesOutWhatNeedsBoth() throws Exception {
        List<Judged> safe = Rows.random(5, 50, 1).stream()
                .filter(row -> !row.row().unsafe())
                .toList();
        String page = HtmlReport.of(report(safe, 1, false));
        assertThat(page).doesNotContain("roc-figure", "precision-figure", "NaN").contains("sweep-figure");
        parse(page);
    }
}
