"""The tokenizer: a small one made here for the rules, the real vocabularies for the languages."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from rtap.errors import ConfigurationError, ModelError
from rtap.languages import LANGUAGES, language_code
from rtap.whisper.model_directory import FileRecord, Manifest, ModelDirectory
from rtap.whisper.tokenizer import TIMESTAMPS, WhisperTokenizer
from tests.whisper_ranks import rank_file
from tools.model.conversion.tokenizer_from_ranks import (
    merges_of_ranks,
    read_ranks,
    tokenizer_from_ranks,
)

SPECIAL = [
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|haw|>", "<|yue|>"),
    *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"),
    "<|notimestamps|>",
]


@cache
def trained() -> str:
    """A byte-level BPE with a few merges, as JSON, so that each test may add its own tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(["turn on the heating", "turn the lights off"], trainer)
    text: str = tokenizer.to_str()
    return text


def small(special: Sequence[str] = SPECIAL, *, timestamps: bool = False) -> Tokenizer:
    tokenizer = Tokenizer.from_str(trained())
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in special])
    if timestamps:
        tokenizer.add_tokens([f"<|{index * 0.02:.2f}|>" for index in range(TIMESTAMPS)])
    return tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> WhisperTokenizer:
    return WhisperTokenizer(small(timestamps=True))


def without(*tokens: str) -> list[str]:
    return [token for token in SPECIAL if token not in tokens]


class TestSpecialTokens:
    def test_ids(self, tokenizer: WhisperTokenizer) -> None:
        first = tokenizer.end_of_text
        names = [
            *("start_of_transcript", "translate", "transcribe", "start_of_lm", "start_of_previous"),
            *("no_speech", "no_timestamps", "timestamp_begin"),
        ]
        assert [getattr(tokenizer, name) - first for name in names] == [1, 6, 7, 8, 9, 10, 11, 12]
        assert tokenizer.vocabulary_size == first + 12 + TIMESTAMPS

    def test_languages(self, tokenizer: WhisperTokenizer) -> None:
        first = tokenizer.start_of_transcript + 1
        expected = {"en": first, "de": first + 1, "haw": first + 2, "yue": first + 3}
        assert tokenizer.languages == expected
        assert tokenizer.is_multilingual

    def test_old_name_of_no_speech(self) -> None:
        special = [token.replace("nospeech", "nocaptions") for token in SPECIAL]
        assert WhisperTokenizer(small(special)).no_speech > 0

    def test_without_tasks(self) -> None:
        tokenizer = WhisperTokenizer(small(without("<|translate|>", "<|startoflm|>")))
        assert tokenizer.translate is None
        assert tokenizer.start_of_lm is None
        assert set(tokenizer.languages) == {"en", "de", "haw", "yue"}
        with pytest.raises(ConfigurationError, match="cannot translate"):
            tokenizer.sot_sequence("de", "translate")

    @pytest.mark.parametrize(
        "missing",
        [
            "<|endoftext|>",
            "<|startoftranscript|>",
            "<|startofprev|>",
            "<|nospeech|>",
            "<|notimestamps|>",
        ],
    )
    def test_not_whispers(self, missing: str) -> None:
        with pytest.raises(ModelError, match=rf"{re.escape(missing)}.*convert"):
            WhisperTokenizer(small(without(missing)))

    def test_files_that_mark_nothing_as_special(self) -> None:
        tokenizer = small([])
        tokenizer.add_tokens(SPECIAL)
        whisper = WhisperTokenizer(tokenizer)
        assert whisper.decode([whisper.start_of_transcript, whisper.end_of_text]) == ""
        assert set(whisper.languages) == {"en", "de", "haw", "yue"}


class TestStartSequence:
    def test_multilingual(self, tokenizer: WhisperTokenizer) -> None:
        start = tokenizer.start_of_transcript
        german = tokenizer.languages["de"]
        assert tokenizer.sot_sequence("de") == (start, german, tokenizer.transcribe)
        assert tokenizer.sot_sequence("German", "translate") == (start, german, tokenizer.translate)
        assert tokenizer.sot_sequence(None) == (start,)

    def test_english_only(self) -> None:
        tokenizer = WhisperTokenizer(small(), multilingual=False)
        assert tokenizer.languages == {}
        for language in (None, "en", "English", "en-GB"):
            assert tokenizer.sot_sequence(language) == (tokenizer.start_of_transcript,)
        with pytest.raises(ConfigurationError, match=r"does not know german \(de\)"):
            tokenizer.sot_sequence("de")
        with pytest.raises(ConfigurationError, match="English only"):
            tokenizer.sot_sequence("en", "translate")

    def test_unknown_task(self, tokenizer: WhisperTokenizer) -> None:
        with pytest.raises(ConfigurationError, match="transcribe or translate"):
            tokenizer.sot_sequence("en", "summarise")  # type: ignore[arg-type]


class TestTimestamps:
    def test_listed(self, tokenizer: WhisperTokenizer) -> None:
        begin = tokenizer.timestamp_begin
        assert tokenizer.has_timestamps
        assert tokenizer.timestamp(begin) == 0.0
        assert tokenizer.timestamp(begin + 29) == 0.58
        assert tokenizer.timestamp(begin + 1500) == 30.0
        assert tokenizer.decode([begin + 29]) == ""

    @pytest.mark.parametrize(("missing", "expected"), [(0, True), (1, False), (TIMESTAMPS, False)])
    def test_known_from_the_number_of_logits(self, missing: int, *, expected: bool) -> None:
        tokens = small()
        logits = tokens.get_vocab_size() + TIMESTAMPS - missing
        tokenizer = WhisperTokenizer(tokens, vocabulary_size=logits)
        assert tokenizer.has_timestamps is expected
        assert tokenizer.timestamp_begin == tokenizer.no_timestamps + 1
        assert tokenizer.is_timestamp(tokenizer.timestamp_begin) is expected

    @pytest.mark.parametrize("distance", [-1, TIMESTAMPS])
    def test_others_are_none(self, tokenizer: WhisperTokenizer, distance: int) -> None:
        with pytest.raises(ValueError, match="no timestamp"):
            tokenizer.timestamp(tokenizer.timestamp_begin + distance)


class TestText:
    @pytest.mark.parametrize(
        "text", ["", "turn on the heating", "Grüße, 你好! 🚗\n\t x", "\x00\x7f"]
    )
    def test_round_trip(self, tokenizer: WhisperTokenizer, text: str) -> None:
        assert tokenizer.decode(tokenizer.encode(text)) == text

    @given(st.text())
    @settings(max_examples=100, deadline=None)
    def test_round_trip_of_anything(self, text: str) -> None:
        tokenizer = cached_small()
        tokens = tokenizer.encode(text)
        assert tokenizer.decode(tokens) == text

    def test_special_tokens_give_nothing(self, tokenizer: WhisperTokenizer) -> None:
        tokens = tokenizer.encode("the lights")
        prompt = list(tokenizer.sot_sequence("en"))
        stamp = [tokenizer.timestamp_begin]
        whole = [*prompt, *stamp, *tokens, *stamp, tokenizer.end_of_text]
        assert tokenizer.decode(whole) == "the lights"

    def test_a_prompt_cannot_spell_special_tokens(self, tokenizer: WhisperTokenizer) -> None:
        tokens = tokenizer.encode("off <|endoftext|><|de|><|1.00|> on")
        assert all(tokenizer.is_text(token) for token in tokens)
        assert tokenizer.decode(tokens).replace("<|1.00|>", "") == "off <|endoftext|><|de|> on"

    @pytest.mark.parametrize("token", [-1, 10**6])
    def test_ids_beyond_the_vocabulary_give_nothing(
        self, tokenizer: WhisperTokenizer, token: int
    ) -> None:
        assert tokenizer.decode([token]) == ""

    def test_words_that_a_user_added(self) -> None:
        tokens = small()
        tokens.add_tokens(["Müsliriegel"])
        tokenizer = WhisperTokenizer(tokens)
        encoded = tokenizer.encode("a Müsliriegel!")
        assert tokens.token_to_id("Müsliriegel") in encoded
        assert tokenizer.decode(encoded) == "a Müsliriegel!"

    def test_not_byte_level(self) -> None:
        tokens = Tokenizer(models.BPE({"▁": 0, "a": 1}, []))
        tokens.add_special_tokens(SPECIAL)
        with pytest.raises(ModelError, match="not byte-level"):
            WhisperTokenizer(tokens).decode([0])


class TestStream:
    def test_characters_wait_for_their_bytes(self, tokenizer: WhisperTokenizer) -> None:
        stream = tokenizer.stream()
        assert [stream.push(token) for token in byte_tokens(tokenizer, "aü🚗b")] == [
            *("a", "", "ü", "", "", "", "🚗", "b")
        ]
        assert stream.finish() == ""

    def test_unfinished_end(self, tokenizer: WhisperTokenizer) -> None:
        tokens = byte_tokens(tokenizer, "a🚗")[:-1]
        stream = tokenizer.stream()
        assert "".join(map(stream.push, tokens)) == "a"
        assert stream.finish() == "\ufffd"
        assert tokenizer.decode(tokens) == "a\ufffd"

    @given(st.lists(st.integers(0, 255)))
    @settings(max_examples=200, deadline=None)
    def test_equals_decode_for_any_bytes(self, values: list[int]) -> None:
        tokenizer = cached_small()
        ids = ids_of_bytes()
        tokens = [ids[value] for value in values]
        stream = tokenizer.stream()
        assert "".join(map(stream.push, tokens)) + stream.finish() == tokenizer.decode(tokens)
        words = tokenizer.split_words(tokens, "en")
        assert [token for _, ids in words for token in ids] == tokens


class TestWords:
    def test_spaces(self, tokenizer: WhisperTokenizer) -> None:
        words = tokenizer.split_words(tokenizer.encode(" turn the lights, please!"), "en")
        assert [text for text, _ in words] == [" turn", " the", " lights", ",", " please", "!"]

    @pytest.mark.parametrize("language", ["zh", "ja", "th", "lo", "my", "yue"])
    def test_characters(self, tokenizer: WhisperTokenizer, language: str) -> None:
        words = tokenizer.split_words(tokenizer.encode("你好 a"), language)
        assert [text for text, _ in words] == ["你", "好", " ", "a"]
        assert [len(ids) for _, ids in words] == [3, 3, 1, 1]

    def test_special_tokens_stand_alone(self, tokenizer: WhisperTokenizer) -> None:
        a, end = tokenizer.encode("a")[0], tokenizer.end_of_text
        cut_off = byte_tokens(tokenizer, "ü")[0]
        assert tokenizer.split_words([a, end, a, cut_off, end], "en") == [
            ("a", (a,)),
            ("", (end,)),
            ("a\ufffd", (a, cut_off)),
            ("", (end,)),
        ]

    def test_none(self, tokenizer: WhisperTokenizer) -> None:
        assert tokenizer.split_words([], None) == []


class TestDirectory:
    def test_reads_what_the_files_say(self, tmp_path: Path) -> None:
        tokens = small()
        tokens.save(str(tmp_path / "tokenizer.json"))
        size = tokens.get_vocab_size() + TIMESTAMPS
        tokenizer = opened(tmp_path, {"vocab_size": size}, {"is_multilingual": False})
        assert tokenizer.has_timestamps
        assert tokenizer.vocabulary_size == size
        assert not tokenizer.is_multilingual

    def test_files_that_say_nothing(self, tmp_path: Path) -> None:
        small().save(str(tmp_path / "tokenizer.json"))
        tokenizer = opened(tmp_path, {}, {})
        assert not tokenizer.has_timestamps
        assert tokenizer.is_multilingual

    def test_multilingual_without_languages(self, tmp_path: Path) -> None:
        languages = ["<|en|>", "<|de|>", "<|haw|>", "<|yue|>"]
        small(without(*languages)).save(str(tmp_path / "tokenizer.json"))
        with pytest.raises(ModelError, match=r"no language tokens.*convert"):
            opened(tmp_path, {}, {"is_multilingual": True})
        assert not opened(tmp_path, {}, {}).is_multilingual

    @pytest.mark.parametrize("text", ["", "{}", "[1, 2", '{"model": {"type": "BPE"}}', "\x00\xff"])
    def test_damaged(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "tokenizer.json").write_text(text, encoding="latin-1")
        with pytest.raises(ModelError, match=r"tokenizer\.json is damaged.*convert"):
            opened(tmp_path, {}, {})

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"tokenizer\.json is missing.*convert"):
            opened(tmp_path, {}, {})


class TestLanguageNames:
    @pytest.mark.parametrize(
        ("said", "code"),
        [
            *(("de", "de"), ("DE", "de"), ("German", "de"), (" german ", "de"), ("de-AT", "de")),
            *(("pt_BR", "pt"), ("haitian creole", "ht"), ("Mandarin", "zh"), ("nb", "no")),
            *(("yue", "yue"), ("zh-Hant-TW", "zh"), ("jv", "jw"), ("flemish", "nl")),
        ],
    )
    def test_known(self, said: str, code: str) -> None:
        assert language_code(said) == code

    @pytest.mark.parametrize(
        ("said", "hint"),
        [
            ("germn", "german (de)"),
            ("frnech", "french (fr)"),
            ("hwa", "haw (hawaiian)"),
            ("klingon", "en, zh, de"),
            ("", "en, zh, de"),
        ],
    )
    def test_unknown_names_what_is_near(self, said: str, hint: str) -> None:
        with pytest.raises(ConfigurationError, match=rf"unknown language.*{re.escape(hint)}"):
            language_code(said)

    def test_known_to_whisper_but_not_to_the_model(self) -> None:
        with pytest.raises(
            ConfigurationError, match=r"does not know cantonese \(yue\), only en, de"
        ):
            language_code("Cantonese", ["en", "de"])

    def test_near_names_are_of_the_model(self) -> None:
        with pytest.raises(ConfigurationError, match="unknown language 'frnech': use") as caught:
            language_code("frnech", ["en", "de"])
        assert "french" not in str(caught.value)

    def test_a_hundred(self) -> None:
        assert len(LANGUAGES) == 100
        assert list(LANGUAGES)[-1] == "yue"


GREETINGS = {
    "en": "Good morning, I'm on my way; we've 25 miles left, haven't we?",
    "zh": "早上好，请打开空调。",
    "de": "Grüß Gott, schöne Straße!",
    "es": "¡Buenos días, señor! ¿Qué tal?",
    "ru": "Доброе утро, как дела?",
    "ko": "안녕하세요, 반갑습니다",
    "fr": "Ça va très bien, à bientôt où que tu sois",
    "ja": "おはようございます。エアコンをつけて",
    "pt": "Bom dia, não há ligação",
    "tr": "Günaydın, nasılsınız? İyi ışıklar",
    "pl": "Dzień dobry, zażółć gęślą jaźń",
    "ca": "Bon dia, col·lecció",
    "nl": "Goedemorgen, hoe gaat het met u?",
    "ar": "صباح الخير، كيف حالك؟",
    "sv": "God morgon, räksmörgås på ön",
    "it": "Buongiorno, perché è così?",
    "id": "Selamat pagi, apa kabar?",
    "hi": "सुप्रभात, आप कैसे हैं?",
    "fi": "Hyvää huomenta, äänekäs yö",
    "vi": "Chào buổi sáng, bạn có khỏe không?",
    "he": "בוקר טוב, מה שלומך?",
    "uk": "Доброго ранку, їжак і ґанок",
    "el": "Καλημέρα, τι κάνετε;",
    "ms": "Selamat pagi, bahasa Melayu",
    "cs": "Dobré ráno, příliš žluťoučký kůň",
    "ro": "Bună dimineața, ce faceți?",
    "da": "Godmorgen, rødgrød med fløde på",
    "hu": "Jó reggelt, árvíztűrő tükörfúrógép",
    "ta": "காலை வணக்கம், நலமா?",
    "no": "God morgen, blåbærsyltetøy",
    "th": "สวัสดีตอนเช้า สบายดีไหม",
    "ur": "صبح بخیر، آپ کیسے ہیں؟",
    "hr": "Dobro jutro, šećer i đak",
    "bg": "Добро утро, как сте?",
    "lt": "Labas rytas, ąžuolas ėjo į šventę",
    "la": "Salvēte, quid agitis hodiē?",
    "mi": "Mōrena, kei te pēhea koe?",
    "ml": "സുപ്രഭാതം, സുഖമാണോ?",
    "cy": "Bore da, sut mae'r tŷ a'r dŵr?",
    "sk": "Dobré ráno, kŕdeľ ďatľov",
    "te": "శుభోదయం, ఎలా ఉన్నారు?",
    "fa": "صبح بخیر، حال شما چطور است؟",
    "lv": "Labrīt, kā jums klājas? Ķīšežers",
    "bn": "সুপ্রভাত, কেমন আছেন?",
    "sr": "Добро јутро, како сте? Љубав и џем",
    "az": "Sabahınız xeyir, necəsiniz?",
    "sl": "Dobro jutro, češnja in žaba",
    "kn": "ಶುಭೋದಯ, ಹೇಗಿದ್ದೀರಾ?",
    "et": "Tere hommikust, õunaöö",
    "mk": "Добро утро, ќе одиме кај ѓаволот",
    "br": "Demat, penaos emañ kont?",
    "eu": "Egun on, zer moduz zaude?",
    "is": "Góðan daginn, þú ert æði",
    "hy": "Բարի լույս, ինչպե՞ս եք",
    "ne": "शुभ प्रभात, तपाईंलाई कस्तो छ?",
    "mn": "Өглөөний мэнд, сайн байна уу?",
    "bs": "Dobro jutro, kako ste? Ćevapi",
    "kk": "Қайырлы таң, қалыңыз қалай?",
    "sq": "Mirëmëngjes, si jeni? Çaj",
    "sw": "Habari za asubuhi, hujambo?",
    "gl": "Bos días, como estás? Mañá",
    "mr": "शुभ सकाळ, तुम्ही कसे आहात?",
    "pa": "ਸ਼ੁਭ ਸਵੇਰ, ਤੁਹਾਡਾ ਕੀ ਹਾਲ ਹੈ?",
    "si": "සුබ උදෑසනක්, කොහොමද?",
    "km": "អរុណសួស្តី សុខសប្បាយទេ",
    "sn": "Mangwanani, makadii?",
    "yo": "Ẹ káàárọ̀, ṣé dáadáa ni?",
    "so": "Subax wanaagsan, iska warran?",
    "af": "Goeiemôre, hoe gaan dit? Sê vir my",
    "oc": "Bonjorn, cossí va? Plan plaçat",
    "ka": "დილა მშვიდობისა, როგორ ხართ?",
    "be": "Добрай раніцы, як справы? Ўсё добра",
    "tg": "Субҳ ба хайр, чӣ хел шумо?",
    "sd": "صبح جو سلام، توهان ڪيئن آهيو؟",
    "gu": "સુપ્રભાત, તમે કેમ છો?",
    "am": "እንደምን አደሩ፣ ደህና ነዎት?",
    "yi": "גוט מאָרגן, װאָס מאַכט איר?",
    "lo": "ສະບາຍດີຕອນເຊົ້າ",
    "uz": "Xayrli tong, ahvolingiz qalay? Oʻzbek",
    "fo": "Góðan morgun, hvussu gongur? Føroyar",
    "ht": "Bonjou, kijan ou ye? Mèsi anpil",
    "ps": "سهار مو پخير، څنګه یاست؟",
    "tk": "Ertiriňiz haýyrly bolsun, ýagdaýyňyz nähili?",
    "nn": "God morgon, korleis går det? Ikkje så verst",
    "mt": "Bonġu, kif int? Għawdex u Ħamrun",
    "sa": "सुप्रभातम्, भवान् कथम् अस्ति?",
    "lb": "Gudde Moien, wéi geet et? Lëtzebuerg",
    "my": "မင်္ဂလာနံနက်ခင်းပါ",
    "bo": "སྔ་དྲོ་བདེ་ལེགས། བོད་སྐད",
    "tl": "Magandang umaga, kumusta ka?",
    "mg": "Manao ahoana, salama ianao?",
    "as": "সুপ্ৰভাত, আপুনি কেনে আছে?",
    "tt": "Хәерле иртә, хәлләрегез ничек?",
    "haw": "Aloha kakahiaka, pehea ʻoe? Hawaiʻi",
    "ln": "Mbote, ndenge nini? Lingála",
    "ha": "Ina kwana, yaya kake? Ɗan Ƙasa",
    "ba": "Хәйерле иртә, хәлдәрегеҙ нисек?",
    "jw": "Sugeng énjing, ꦧꦱꦗꦮ",
    "su": "Wilujeng énjing, ᮘᮞ ᮞᮥᮔ᮪ᮓ",
    "yue": "早晨，唔該開冷氣，食咗飯未呀？",
}
OTHERS = [
    "🚗💨 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 ♪♪",
    "  two spaces,\n\na line\t\ttab  ",
    "x² + ½ = ⅷ — “quoted” … naïve",
    "𐍈𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠀀",
    "e\u0301 combined, \u200bzero width, \ufeff and \ufffd itself",
]


def test_every_language_is_greeted() -> None:
    assert list(GREETINGS) == list(LANGUAGES)


@pytest.fixture(scope="module")
def multilingual() -> WhisperTokenizer:
    return WhisperTokenizer(real("multilingual", 99))


@pytest.fixture(scope="module")
def ranks() -> dict[bytes, int]:
    return read_ranks(rank_file("multilingual.tiktoken"))


@cache
def real(name: str, languages: int) -> Tokenizer:
    path = rank_file(f"{name}.tiktoken")
    return tokenizer_from_ranks(path, multilingual=name != "gpt2", num_languages=languages)


class TestRealVocabulary:
    @pytest.mark.parametrize(
        ("name", "languages", "end_of_text", "size"),
        [
            ("multilingual", 99, 50257, 51865),
            pytest.param("multilingual", 100, 50257, 51866, marks=pytest.mark.slow),
            pytest.param("gpt2", 99, 50256, 51864, marks=pytest.mark.slow),
        ],
    )
    def test_layout(self, name: str, languages: int, end_of_text: int, size: int) -> None:
        made = real(name, languages)
        tokenizer = WhisperTokenizer(made)
        assert made.get_vocab_size() == tokenizer.vocabulary_size == size
        assert tokenizer.end_of_text == end_of_text
        assert tokenizer.start_of_transcript == end_of_text + 1
        assert tokenizer.translate == end_of_text + 2 + languages
        assert tokenizer.no_timestamps == end_of_text + 7 + languages
        assert tokenizer.timestamp_begin == end_of_text + 8 + languages
        assert tokenizer.timestamp(size - 1) == 30.0
        # The .en vocabulary lists languages too, but its models do not know them.
        assert tokenizer.is_multilingual is (name != "gpt2")
        assert list(tokenizer.languages) == list(LANGUAGES)[: languages if name != "gpt2" else 0]
        assert made.encode("hi").ids[-1] == end_of_text

    @pytest.mark.parametrize("name", ["multilingual", pytest.param("gpt2", marks=pytest.mark.slow)])
    def test_every_token_but_the_bytes_has_a_merge(self, name: str) -> None:
        ranks = read_ranks(rank_file(f"{name}.tiktoken"))
        merges = merges_of_ranks(ranks)
        assert len(merges) == len(set(merges)) == 50_000
        # An empty token fills up the multilingual vocabulary.
        assert {left + right for left, right in merges} == {
            token for token in ranks if len(token) > 1
        }

    @pytest.mark.parametrize("text", [*GREETINGS.values(), *OTHERS])
    def test_equals_the_reference(
        self, multilingual: WhisperTokenizer, ranks: Mapping[bytes, int], text: str
    ) -> None:
        for sample in (text, f" {text}"):
            tokens = multilingual.encode(sample)
            assert tokens == list(reference_encode(sample, ranks))
            assert multilingual.decode(tokens) == sample

    @pytest.mark.parametrize("text", [*GREETINGS.values(), *OTHERS])
    def test_streams_only_whole_characters(self, multilingual: WhisperTokenizer, text: str) -> None:
        tokens = multilingual.encode(text)
        stream = multilingual.stream()
        shown = ""
        for token in tokens:
            shown += stream.push(token)
            assert text.startswith(shown)
        assert shown == text
        words = multilingual.split_words(tokens, "ja")
        assert "".join(word for word, _ in words) == text

    def test_any_split_of_a_character_over_tokens(
        self, multilingual: WhisperTokenizer, ranks: Mapping[bytes, int]
    ) -> None:
        characters = {c for text in [*GREETINGS.values(), *OTHERS] for c in text if ord(c) > 127}
        split = 0
        for character in sorted(characters):
            for parts in splits(character.encode(), ranks):
                tokens = [ranks[part] for part in parts]
                stream = multilingual.stream()
                pieces = [stream.push(token) for token in tokens]
                assert pieces == [""] * (len(parts) - 1) + [character]
                assert multilingual.split_words(tokens, "zh") == [(character, tuple(tokens))]
                split += len(parts) > 1
        assert split > len(characters)

    @pytest.mark.parametrize("text", ["", "AAAA notanumber\n", "IQ== 0\n"])
    def test_damaged_rank_file(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "broken.tiktoken"
        path.write_text(text)
        with pytest.raises(ModelError, match="fetch openai-whisper again"):
            tokenizer_from_ranks(path, multilingual=True)


def splits(data: bytes, ranks: Mapping[bytes, int]) -> Iterator[list[bytes]]:
    """Every way to spell some bytes in tokens."""
    if not data:
        yield []
    for length in range(1, len(data) + 1):
        if data[:length] in ranks:
            for rest in splits(data[length:], ranks):
                yield [data[:length], *rest]


CONTRACTION = re.compile(r"'(?:s|t|re|ve|m|ll|d)")
PIECE = re.compile(r" ?L+| ?N+| ?O+|\s+(?!\S)|\s+")


def reference_encode(text: str, ranks: Mapping[bytes, int]) -> Iterator[int]:
    """GPT-2's way, from the ranks alone: in each piece, join the pair of lowest rank till none is left."""
    # One letter per character stands for its class, because re knows no \\p{L}.
    classes = "".join(
        c if c.isspace() else {"L": "L", "N": "N"}.get(unicodedata.category(c)[0], "O")
        for c in text
    )
    position = 0
    while position < len(text):
        match = CONTRACTION.match(text, position) or PIECE.match(classes, position)
        assert match is not None
        parts = [bytes([byte]) for byte in text[position : match.end()].encode()]
        while len(parts) > 1:
            joined = [left + right for left, right in pairwise(parts)]
            best = min(joined, key=lambda pair: ranks.get(pair, len(ranks)))
            if best not in ranks:
                break
            at = joined.index(best)
            parts[at : at + 2] = [best]
        yield from (ranks[part] for part in parts)
        position = match.end()


@cache
def cached_small() -> WhisperTokenizer:
    """For hypothesis, which takes no function-scoped fixtures."""
    return WhisperTokenizer(small(timestamps=True))


@cache
def ids_of_bytes() -> dict[int, int]:
    tokenizer = cached_small()
    ids = {tokenizer.token_bytes(id_): id_ for id_ in range(tokenizer.end_of_text)}
    return {value: ids[bytes([value])] for value in range(256)}


def byte_tokens(tokenizer: WhisperTokenizer, text: str) -> list[int]:
    """The text spelt byte by byte."""
    ids = {tokenizer.token_bytes(id_): id_ for id_ in range(tokenizer.end_of_text)}
    return [ids[bytes([byte])] for byte in text.encode()]


def opened(path: Path, config: dict[str, Any], generation: dict[str, Any]) -> WhisperTokenizer:
    (path / "config.json").write_text(json.dumps(config))
    (path / "generation_config.json").write_text(json.dumps(generation))
    manifest = Manifest(
        name="test",
        source="test",
        layout="rtap",
        precision="fp32",
        elastic="no",
        parameters=0,
        opset=17,
        created_by="test",
        files={file.name: FileRecord(0, "") for file in path.iterdir()},
    )
    return WhisperTokenizer.from_directory(ModelDirectory(path, manifest))
