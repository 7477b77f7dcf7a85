package dev.corral.guardmodels.store;

import java.nio.file.Path;
import java.util.Optional;

/** A guard directory whose files are those that its checksums describe. */
public final class GuardDirectory {

    private final String origin;
    private final GuardManifest manifest;
    private final ModelSource model;
    private final Optional<Path> encoder;
    private final byte[] tokenizerJson;
    private final String fingerprint;
    private final NamedHazards named;

    GuardDirectory(
            String origin,
            GuardManifest manifest,
            ModelSource model,
            Optional<Path> encoder,
            byte[] tokenizerJson,
            String fingerprint,
            NamedHazards named) {
        this.origin = origin;
        this.manifest = manifest;
        this.model = model;
        this.encoder = encoder;
        this.tokenizerJson = tokenizerJson;
        this.fingerprint = fingerprint;
        this.named = named;
    }

    /**
     * The same guard, asked to name these hazards.
     *
     * @throws UnusableGuardException if it can name the first only
     */
    public GuardDirectory naming(NamedHazards hazards) {
        if (hazards == NamedHazards.ALL && manifest.verdict().listing().isEmpty()) {
            throw new UnusableGuardException(origin
                    + " cannot name all hazards, only the first: its head has no rows for the rest of an answer"
                    + " ('verdict.list' of guard.yaml); ask for the first hazard, or convert a Llama Guard 3 with"
                    + " this version of 'corral quantize'");
        }
        return new GuardDirectory(origin, manifest, model, encoder, tokenizerJson, fingerprint, hazards);
    }

    /** Which hazards of an unsafe content are to be named. */
    public NamedHazards named() {
        return named;
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

    /** The file of the graph that looks at images, where the guard has one. */
    public Optional<Path> encoder() {
        return encoder;
    }

    /** The content of {@code tokenizer.json}. */
    public byte[] tokenizerJson() {
        return tokenizerJson.clone();
    }

    /** Digest of all files' checksums, and of what is to be named: it changes when any of them does. */
    public String fingerprint() {
        return named == NamedHazards.ALL ? fingerprint + "-all-hazards" : fingerprint;
    }
}
