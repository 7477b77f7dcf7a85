package dev.corral.guardmodels.prompt;

/**
 * A family's prompt as servers make it of a chat's messages: a template in Jinja, as {@code tokenizer_config.json} and GGUF
 * files keep it. It renders what {@link GuardFamily#render} does of the same turns; {@code system} and all other roles but
 * {@code assistant} are the user's.
 *
 * @param begin before the first utterance
 * @param afterText after each text
 * @param end after the last utterance
 */
record ChatTemplate(String begin, String afterText, String end) {

    /** Stands for the label of who is judged, in {@code begin} and {@code end}. */
    static final String JUDGED = "\uE000";

    String jinja() {
        return """
                {%%- set judged = 'Agent' if messages[-1]['role'] == 'assistant' else 'User' -%%}
                {{- %s -}}
                {%%- if messages[0]['role'] == 'assistant' -%%}
                    {{- 'User: ' + %s -}}
                {%%- endif -%%}
                {%%- for message in messages -%%}
                    {%%- set speaker = 'Agent' if message['role'] == 'assistant' else 'User' -%%}
                    {%%- if message['content'] is string -%%}
                        {{- speaker + ': ' + message['content'] | trim + %s -}}
                    {%%- else -%%}
                        {%%- for part in message['content'] -%%}
                            {%%- if part['type'] == 'text' -%%}
                                {{- speaker + ': ' + part['text'] | trim + %s -}}
                            {%%- endif -%%}
                        {%%- endfor -%%}
                    {%%- endif -%%}
                {%%- endfor -%%}
                {{- %s -}}
                """.formatted(literal(begin), literal(afterText), literal(afterText), literal(afterText), literal(end));
    }

    private static String literal(String text) {
        String escaped = text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
        return '"' + escaped.replace(JUDGED, "\" + judged + \"") + '"';
    }
}
