package dev.corral.guardmodels.prompt;

/** A piece of a prompt. Pieces are turned into tokens one by one and joined. */
public sealed interface Segment {

    /**
     * One special token; only templates write these.
     *
     * @param token its name in the tokenizer, such as {@code <|eot_id|>}
     */
    record Special(String token) implements Segment {}

    /** Ordinary text: a special token's name in it is split into pieces like any other word. */
    record Text(String text) implements Segment {}

    /**
     * Text of the template's own, that many prompts have in common, so that its tokens may be remembered. It must begin
     * and end where no token goes on beyond it.
     */
    record Fixed(String text) implements Segment {}
}
