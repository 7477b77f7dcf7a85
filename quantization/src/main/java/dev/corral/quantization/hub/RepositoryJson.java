package dev.corral.quantization.hub;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a hub answers to {@code /api/models/OWNER/NAME/revision/REVISION?blobs=true}
 * (huggingface/huggingface_hub:src/huggingface_hub/hf_api.py, {@code ModelInfo} and {@code RepoSibling}).
 */
final class RepositoryJson {

    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern TOP_FILE = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*");

    private RepositoryJson() {}

    static Repository parse(byte[] json, RepositoryName name, URI address) {
        JsonNode document;
        try {
            document = JsonMapper.shared().readTree(json);
        } catch (JacksonException e) {
            throw new HubException(noHub(address, "no JSON"), e);
        }
        String commit = document.path("sha").asString("");
        if (!COMMIT.matcher(commit).matches() || !document.path("siblings").isArray()) {
            throw new HubException(noHub(address, "no list of a repository's files"));
        }
        JsonNode gated = document.path("gated");
        List<RemoteFile> files = new ArrayList<>();
        for (JsonNode sibling : document.path("siblings")) {
            String file = sibling.path("rfilename").asString("");
            if (TOP_FILE.matcher(file).matches()) {
                files.add(file(file, sibling, address));
            }
        }
        return new Repository(name, commit, gated.isString() || gated.asBoolean(false), files);
    }

    private static RemoteFile file(String name, JsonNode sibling, URI address) {
        JsonNode lfs = sibling.path("lfs");
        String sha256 = lfs.path("sha256").asString("");
        String blob = sibling.path("blobId").asString("");
        long size = lfs.path("size").asLong(sibling.path("size").asLong(-1));
        if (size >= 0 && SHA256.matcher(sha256).matches()) {
            return new RemoteFile(name, size, new ContentHash.Sha256(sha256));
        }
        if (size >= 0 && !lfs.isObject() && COMMIT.matcher(blob).matches()) {
            return new RemoteFile(name, size, new ContentHash.GitBlob(blob));
        }
        throw new HubException(
                "%s lists %s without a size or a checksum, so a download could not be verified: use another hub"
                        .formatted(address, name));
    }

    private static String noHub(URI address, String what) {
        return "%s answers like no Hugging Face hub (%s): correct --hub or HF_ENDPOINT".formatted(address, what);
    }
}
