"""Small models of many kinds, with random weights: made here, since tests have no network."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
CORPUS = [
    "Parental leave lasts fourteen weeks and may be divided between both parents.",
    "The council decides on the budget of the coming year in its last session.",
    "Größe, Straße, Übermut: query passage title heading one two three four five six seven eight",
    "nine ten What is the refund policy? A passage is embedded together with its TITLE.",
] * 4


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a model of an architecture and of modules; returns its folder."""

    def make(
        kind: str,
        modules: tuple[str, ...] = ("mean", "Normalize"),
        *,
        max_tokens: int | None = 128,
        prompts: dict[str, str] | None = None,
        include_prompt: bool = True,
        lower: bool = False,
    ) -> Path:
        folder = tmp_path_factory.mktemp(kind)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torch
            from sentence_transformers import SentenceTransformer, models

            torch.manual_seed(0)
            if kind == "static":
                made: list[Any] = [models.StaticEmbedding(_word_pieces(), embedding_dim=32)]
            else:
                _transformer(kind, folder / "transformer")
                made = [
                    models.Transformer(
                        str(folder / "transformer"), max_seq_length=max_tokens, do_lower_case=lower
                    )
                ]
            for name in modules:
                if name == "Normalize":
                    made.append(models.Normalize())
                elif name == "Dense":
                    made.append(models.Dense(32, 24))
                else:
                    made.append(
                        models.Pooling(32, pooling_mode=name, include_prompt=include_prompt)
                    )
            SentenceTransformer(modules=made, prompts=prompts, device="cpu").save(
                str(folder / "model")
            )
        return folder / "model"

    return make


def _transformer(kind: str, folder: Path) -> None:
    import torch
    import transformers

    tokenizer = _TOKENIZERS[kind]()
    made: Any
    size = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, **SMALL}
    match kind:
        case "bert" | "bert-cased":
            made = transformers.BertModel(transformers.BertConfig(**size))
        case "distilbert":
            small = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}
            config = transformers.DistilBertConfig(vocab_size=len(tokenizer), **small)
            made = transformers.DistilBertModel(config)
        case "mpnet":
            config = transformers.MPNetConfig(max_position_embeddings=514, **size)
            made = transformers.MPNetModel(config)
        case "roberta":
            config = transformers.RobertaConfig(
                max_position_embeddings=514, type_vocab_size=1, **size
            )
            made = transformers.RobertaModel(config)
        case "xlm-roberta":
            config = transformers.XLMRobertaConfig(
                max_position_embeddings=514, type_vocab_size=1, **size
            )
            made = transformers.XLMRobertaModel(config)
        case "t5":
            small = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
            made = transformers.T5EncoderModel(
                transformers.T5Config(vocab_size=len(tokenizer), pad_token_id=0, **small)
            )
        case "qwen3":
            config = transformers.Qwen3Config(num_key_value_heads=2, head_dim=8, **size)
            made = transformers.Qwen3Model(config)
        case _:
            raise ValueError(kind)
    for weights in made.parameters():
        if weights.dim() > 1:  # as they come, all texts would lie together
            torch.nn.init.normal_(weights, std=0.3)
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _fast(tokenizer: Any, *inputs: str, **special: str) -> Any:
    from transformers import PreTrainedTokenizerFast

    names = ["input_ids", *inputs, "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=names, **special)


def _word_pieces(
    pad: str = "[PAD]", begin: str = "[CLS]", end: str = "[SEP]", *, lower: bool = True
) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lower)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [pad, "[UNK]", begin, end]
    trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    made.train_from_iterator(CORPUS, trainer)
    made.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=[(begin, 2), (end, 3)]
    )
    return made


def _bert(*, lower: bool = True) -> Any:
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    return _fast(_word_pieces(lower=lower), "token_type_ids", sep_token="[SEP]", **special)


def _distilbert() -> Any:
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    return _fast(_word_pieces(), sep_token="[SEP]", **special)


def _mpnet() -> Any:
    special = {"pad_token": "<pad>", "unk_token": "[UNK]", "cls_token": "<s>"}
    return _fast(_word_pieces("<pad>", "<s>", "</s>"), sep_token="</s>", **special)


def _byte_pairs(*, framed: bool) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(CORPUS, trainer)
    if framed:
        made.post_processor = processors.RobertaProcessing(
            ("</s>", 2), ("<s>", 0), add_prefix_space=False
        )
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"}
    return _fast(made, **special)


def _unigrams(special: list[str], template: str) -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    around = [token for token in template.split() if token != "$A"]
    made.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(token, special.index(token)) for token in around]
    )
    return _fast(made, pad_token="<pad>", unk_token="<unk>", eos_token="</s>")


_TOKENIZERS: dict[str, Callable[[], Any]] = {
    "bert": _bert,
    "bert-cased": lambda: _bert(lower=False),
    "distilbert": _distilbert,
    "mpnet": _mpnet,
    "roberta": lambda: _byte_pairs(framed=True),
    "qwen3": lambda: _byte_pairs(framed=False),
    "xlm-roberta": lambda: _unigrams(["<s>", "<pad>", "</s>", "<unk>"], "<s> $A </s>"),
    "t5": lambda: _unigrams(["<pad>", "</s>", "<unk>"], "$A </s>"),
}
