"""A configuration whose one language has two sentences, so that no large grammar need be loaded."""

from pathlib import Path
from typing import Final

from rtap.config import Config, IntentsConfig, OutputConfig, VehicleConfig

VOLUME: Final = "Vehicle.Cabin.Infotainment.Media.Volume"
LOUDER: Final = 40
"""What the volume is after one "plus fort"."""

_SENTENCES: Final = """\
intents:
  Heat: {data: [{sentences: ["chauffe à {t:temperature} degrés"], slots: {state: true}}]}
  Confirm: {data: [{sentences: ["oui"]}]}
  RaiseVolume: {data: [{sentences: ["plus fort"]}]}
  OpenTrunk: {data: [{sentences: ["ouvre le coffre"]}]}
lists: {t: {unit: celsius, range: {from: 14, to: 30, fractions: halves}}}
spellings: {°: degrés}
"""


def french_car(folder: Path, output: OutputConfig | None = None) -> Config:
    """Sentences and a simulated car in this folder."""
    (folder / "fr").mkdir()
    (folder / "fr" / "car.yaml").write_text(_SENTENCES, "utf-8")
    return Config(
        intents=IntentsConfig(folders=(str(folder),), languages=("fr",)),
        vehicle=VehicleConfig(state=folder / "car.json"),
        output=output or OutputConfig(),
    )
