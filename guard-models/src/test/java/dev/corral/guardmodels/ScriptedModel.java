package dev.corral.guardmodels;

import dev.corral.guardmodels.onnx.CausalModel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A model that answers by a script and remembers what it was asked. */
public final class ScriptedModel implements CausalModel {

    private final int contextTokens;
    private final int headRows;
    private final Function<int[], float[][]> script;
    public final List<int[]> asked = new ArrayList<>();
    public final List<int[]> askedRows = new ArrayList<>();
    public final List<int[]> pinned = new ArrayList<>();
    public boolean closed;

    public ScriptedModel(int contextTokens, int headRows, Function<int[], float[][]> script) {
        this.contextTokens = contextTokens;
        this.headRows = headRows;
        this.script = script;
    }

    @Override
    public float[][] logits(int[] tokens, int[] rows) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (tokens.length > contextTokens) {
            throw new IllegalArgumentException("too long: " + tokens.length);
        }
        asked.add(tokens.clone());
        askedRows.add(rows.clone());
        return script.apply(tokens);
    }

    @Override
    public void pin(int[] prefixTokens) {
        pinned.add(prefixTokens.clone());
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public int headRows() {
        return headRows;
    }

    @Override
    public void close() {
        closed = true;
    }
}
