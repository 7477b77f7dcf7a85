package dev.corral.guardmodels.guard;

import dev.corral.guardmodels.image.ImageLimits;
import dev.corral.guardmodels.image.ImagePreprocessor;
import dev.corral.guardmodels.image.PreprocessorSettings;
import dev.corral.guardmodels.onnx.CausalModel;
import dev.corral.guardmodels.onnx.ModelShape;
import dev.corral.guardmodels.onnx.OnnxCausalModel;
import dev.corral.guardmodels.onnx.OnnxVisionModel;
import dev.corral.guardmodels.onnx.Resources;
import dev.corral.guardmodels.onnx.VisionShape;
import dev.corral.guardmodels.store.GuardDirectory;
import dev.corral.guardmodels.store.GuardManifest;
import dev.corral.guardmodels.store.ModelSource;
import dev.corral.guardmodels.store.UnusableGuardException;

/** The guard of this machine: ONNX Runtime on its CPU. */
public final class OnnxGuard {

    /** Room for the last image of Llama Guard 3 11B Vision. */
    private static final long IMAGES_BYTES = 512L << 20;

    private OnnxGuard() {}

    /**
     * Loads a guard.
     *
     * @throws dev.corral.guardmodels.store.UnusableGuardException if the files do not make a guard
     * @throws dev.corral.guardmodels.onnx.ModelException if ONNX Runtime refuses the model, or it is not what {@code guard.yaml} says
     */
    public static Guard load(GuardDirectory directory, Resources resources) {
        if (directory.encoder().isPresent()) {
            return seeing(directory, resources, IMAGES_BYTES);
        }
        ModelShape shape = directory.manifest().shape();
        CausalModel model = switch (directory.model()) {
            case ModelSource.InFile source -> OnnxCausalModel.loadAny(source.file(), shape, resources);
            case ModelSource.InMemory source -> OnnxCausalModel.load(source.bytes(), shape, resources);
        };
        try {
            return TextGuard.of(directory, model);
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /**
     * Loads a guard that sees the images whose files a conversation has.
     *
     * @param imagesBytes memory for what was made of images, beyond those at work
     * @throws dev.corral.guardmodels.store.UnusableGuardException if the files do not make a guard that sees
     * @throws dev.corral.guardmodels.onnx.ModelException if ONNX Runtime refuses a model, or it is not what
     *     {@code guard.yaml} says
     */
    public static VisionGuard seeing(GuardDirectory directory, Resources resources, long imagesBytes) {
        OnnxVisionModel model = visionModel(directory, resources, imagesBytes);
        VisionShape shape = directory.manifest().vision().orElseThrow().shape();
        PreprocessorSettings published = PreprocessorSettings.LLAMA_GUARD_3_11B_VISION;
        ImagePreprocessor preprocessor = new ImagePreprocessor(
                new PreprocessorSettings(shape.tileSize(), shape.tiles(), published.mean(), published.std()));
        ImageFrames frames = new ImageFrames(ImageLimits.DEFAULT);
        ImageReader images =
                part -> frames.of(part).stream().map(preprocessor::preprocess).toList();
        try {
            return VisionGuard.of(directory, model, images);
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** Loads the model of a guard that sees images, alone; see {@link #seeing}. */
    public static OnnxVisionModel visionModel(GuardDirectory directory, Resources resources, long imagesBytes) {
        GuardManifest manifest = directory.manifest();
        if (directory.encoder().isEmpty() || !(directory.model() instanceof ModelSource.InFile decoder)) {
            throw new UnusableGuardException(directory.origin() + " sees no images: guard.yaml has no 'vision'; make a"
                    + " guard of Llama Guard 3 11B Vision with './corral quantize'");
        }
        return OnnxVisionModel.load(
                directory.encoder().get(),
                decoder.file(),
                manifest.shape(),
                manifest.vision().orElseThrow().shape(),
                resources,
                imagesBytes);
    }
}
