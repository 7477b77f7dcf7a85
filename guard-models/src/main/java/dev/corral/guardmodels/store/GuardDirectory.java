package dev.corral.guardmodels.store;

/** A guard directory whose files are those that its checksums describe. */
public final class GuardDirectory {

    private final String origin;
    private final GuardManifest manifest;
    private final ModelSource model;
    private final byte[] tokenizerJson;
    private final String fingerprint;

    GuardDirectory(String origin, GuardManifest manifest, ModelSource model, byte[] tokenizerJson, String fingerprint) {
        this.origin = origin;
        this.manifest = manifest;
        this.model = model;
        this.tokenizerJson = tokenizerJson;
        this.fingerprint = fingerprint;
    }

    /** The directory's path, or that it is built in; for messages. */
    public String origin() {
        return origin;
    }

    public GuardManifest manifest() {
        return manifest;
    }

    public ModelSource model() {
        return model;
    }

    /** The content of {@code tokenizer.json}. */
    public byte[] tokenizerJson() {
        return tokenizerJson.clone();
    }

    /** Hex digest of all files' checksums: it changes when any of them does. */
    public String fingerprint() {
        return fingerprint;
    }
}
