package dev.corral.gateway.testing;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/**
 * A page of the documentation, to be run: policies begin with a remark that is their file's name and may have a mark, other
 * files are named by their block, and commands stand before what they print.
 */
public record Document(String text) {

    private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w+)(?: ([\\w.-]+))?\\n(.*?)^```$");
    private static final Pattern NAME = Pattern.compile("# (\\S+\\.yaml)\\n");
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

    /** A command, and what it prints. */
    public record Example(List<String> words, String printed) {

        public Example {
            words = List.copyOf(words);
        }
    }

    /** The page of this name. */
    public static Document of(String name) throws IOException {
        return new Document(Files.readString(Path.of("../docs", name)));
    }

    /** Writes all files that it shows into a folder; returns the names of its policies, each with its mark or an empty one. */
    public Map<String, String> write(Path folder) throws IOException {
        Map<String, String> policies = new LinkedHashMap<>();
        for (Matcher block = BLOCK.matcher(text); block.find(); ) {
            String mark = block.group(2) == null ? "" : block.group(2);
            switch (block.group(1)) {
                case "json" -> Files.writeString(folder.resolve(mark), block.group(3));
                case "yaml" -> {
                    Matcher name = NAME.matcher(block.group(3));
                    if (!name.lookingAt()) {
                        throw new AssertionError("this example has no name: " + block.group(3));
                    }
                    Files.writeString(folder.resolve(name.group(1)), block.group(3));
                    policies.put(name.group(1), mark);
                }
                default -> {}
            }
        }
        return policies;
    }

    /** All commands of a program, such as {@code audit}, without its name. */
    public List<Example> examples(String program) {
        List<Example> examples = new ArrayList<>();
        for (Matcher block = BLOCK.matcher(text); block.find(); ) {
            if (block.group(1).equals("console")) {
                for (String part : block.group(3).split("(?m)^\\$ \\./corral ", -1)) {
                    if (part.startsWith(program + " ")) {
                        int end = part.indexOf('\n');
                        examples.add(
                                new Example(words(part.substring(program.length() + 1, end)), part.substring(end + 1)));
                    }
                }
            }
        }
        return examples;
    }

    /** The words of a line as a shell reads them, as far as examples need it. */
    public static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        for (Matcher word = WORD.matcher(line); word.find(); ) {
            words.add(word.group(1) == null ? word.group(2) : word.group(1));
        }
        return words;
    }

    /** What a command prints in a folder; policies' hashes are not told. */
    public static String run(CommandLine command, List<String> words, Path folder) {
        StringWriter out = new StringWriter();
        command.setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        command.execute(words.stream()
                .map(word -> word.matches("[\\w.-]+\\.(yaml|jsonl)")
                        ? folder.resolve(word).toString()
                        : word)
                .toArray(String[]::new));
        return out.toString().replace(folder + "/", "").replaceAll("(@\\d+\\+)[0-9a-f]{8}", "$1HASH");
    }
}
