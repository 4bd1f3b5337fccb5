"""``rtap answers check | say | try``: what is answered to commands, and how it sounds."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rtap.cli.sentence_check import add_check, check_languages
from rtap.cli.serve import add_configuration
from rtap.cli.terminal import write_json, write_result

if TYPE_CHECKING:
    from rtap.answers.answer import Answer
    from rtap.answers.phrases import Phrases
    from rtap.config import AnswersConfig, Config
    from rtap.errors import SpeakerError
    from rtap.intents.intent import Understanding
    from rtap.vehicle.result import ActionResult


def add_parser(commands: Any) -> None:
    """Add ``answers`` and what is under it to the command line."""
    parser = commands.add_parser(
        "answers",
        help="check, hear and try what is answered to commands",
        description="Check, hear and try what is answered to commands. Sentences are in LANGUAGE.yaml of a "
        "folder: this program's, those of answers.folders in the configuration, and those given.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    add_check(actions, run_check)

    say = actions.add_parser("say", help="speak a text with the configured voice")
    say.add_argument("text", metavar="TEXT")
    say.add_argument("--language", metavar="CODE", help="default: that of stt.language, or en")
    add_configuration(say)
    say.set_defaults(run=run_say)

    attempt = actions.add_parser(
        "try",
        help="what is answered to a command, in a simulated car that nobody has set anything in",
        description="What is answered to a command, in a simulated car that nobody has set anything in. No "
        "other car is touched.",
    )
    attempt.add_argument("text", metavar="TEXT")
    attempt.add_argument("--language", metavar="CODE", help="default: that of stt.language, or en")
    attempt.add_argument("--say", action="store_true", help="speak the answer, too")
    attempt.add_argument("--json", action="store_true", help="a JSON object")
    add_configuration(attempt)
    attempt.set_defaults(run=run_try)


def run_check(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """See :func:`rtap.cli.sentence_check.check_languages`."""
    from rtap.answers.configured import folders, read
    from rtap.answers.layers import languages

    config, language = _settings(arguments, environment)
    there = (*folders(config), *arguments.folders)
    return check_languages(
        (language,) if arguments.language else languages(there),
        lambda one: _counts(read(config, one, arguments.folders)),
        as_json=arguments.json,
    )


def run_say(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Speak a text.

    Raises:
        ConfigurationError: there is no voice, or it needs what is not installed.
        SpeakerError: it could not be spoken or played.
    """
    from rtap.answers.answer import Answer, Earcon

    config, language = _settings(arguments, environment)
    _speak(Answer(arguments.text, language, Earcon.HEARD), config.answers)
    return 0


def run_try(arguments: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> int:
    """Print what is answered to a text.

    Raises:
        ConfigurationError: something is wrong with sentences or the table, or the language has none.
        SpeakerError: it could not be spoken or played.
    """
    from rtap.answers.configured import make_answerer

    config, language = _settings(arguments, environment)
    answerer = make_answerer(config)
    understanding, result = _done(arguments.text, language, config)
    answer = answerer.answer(understanding, result)
    if arguments.json:
        write_json(
            {
                "understanding": asdict(understanding),
                "result": result and asdict(result),
                "answer": asdict(answer),
            }
        )
    else:
        write_result(f"{answer.text}\n")
    if arguments.say:
        _speak(answer, config.answers)
    return 0


def _done(text: str, language: str, config: Config) -> tuple[Understanding, ActionResult | None]:
    """What was understood, and what came of it in a new car."""
    from rtap.intents.understander import Understander
    from rtap.vehicle.adapters.simulated import SimulatedVehicle
    from rtap.vehicle.configured import make_actor, make_table

    understanding = Understander(config.intents).understand(text, language)
    if understanding.intent is None:
        return understanding, None
    table = make_table(config)
    car = SimulatedVehicle(table.signals, None)
    return understanding, make_actor(config, car, table).execute(understanding.intent)


def _speak(answer: Answer, config: AnswersConfig) -> None:
    """Play an answer to its end."""
    from rtap.answers.output import Loudspeaker
    from rtap.answers.speaker import Speaker
    from rtap.answers.voice.choice import make_voice
    from rtap.errors import ConfigurationError

    voice = make_voice(config)
    if voice is None:
        raise ConfigurationError(
            "there is no voice: run `apt-get install espeak-ng`, and set answers.voice to auto"
        )
    errors: list[SpeakerError] = []
    over = threading.Event()
    speaker = Speaker(
        Loudspeaker(config.device),
        voice,
        earcons=config.earcons,
        volume=config.volume,
        on_speaking=lambda is_speaking: None if is_speaking else over.set(),
        on_error=errors.append,
    )
    speaker.start()
    speaker.say(answer)
    over.wait()
    speaker.close()
    if errors:
        raise errors[0]


def _counts(phrases: Phrases) -> dict[str, int]:
    return {
        "intents": len(phrases.intents),
        "sentences": phrases.sentence_count,
    }


def _settings(arguments: argparse.Namespace, environment: Mapping[str, str]) -> tuple[Config, str]:
    """The configuration, and the language to answer in."""
    from rtap.config.loader import UnifiedConfigLoader
    from rtap.intents.configured import language_of

    loader = UnifiedConfigLoader.from_environment(environment)
    config = loader.load(arguments.profile, arguments.file)
    return config, language_of(config, arguments.language)
