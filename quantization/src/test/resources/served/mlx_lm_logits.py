"""Loads a Hugging Face folder with mlx-lm, exactly: as float32. To each line with a conversation or tokens it says, in JSON:

{"messages": [...]}  the tokens that the folder's chat template and tokenizer make
{"tokens": [...]}    the logits after the last one, of a classifier those of its labels
"""

import json
import pathlib
import sys

import mlx.core
import mlx_lm.utils

mlx.core.set_default_device(mlx.core.cpu)
folder = pathlib.Path(sys.argv[1])
weights = {name: value for file in folder.glob("*.safetensors") for name, value in mlx.core.load(str(file)).items()}
labels = weights.get("score.weight")  # mlx-lm has no classifiers: their decoder is loaded, their labels are multiplied here
model, _ = mlx_lm.utils.load_model(folder, strict=labels is None)
model.set_dtype(mlx.core.float32)
tokenizer = mlx_lm.utils.load_tokenizer(folder)
print("loaded", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if "messages" in request:
        answer = tokenizer.apply_chat_template(request["messages"], tokenize=True, return_dict=False)
    else:
        tokens = mlx.core.array([request["tokens"]])
        logits = model(tokens) if labels is None else model.model(tokens) @ labels.astype(mlx.core.float32).T
        answer = logits[0, -1].tolist()
    print(json.dumps(answer), flush=True)
