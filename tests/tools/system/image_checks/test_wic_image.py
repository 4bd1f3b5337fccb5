"""tools.system.image_checks.wic_image: what can be tested without making a disk."""

from __future__ import annotations

from tools.system.image_checks.wic_image import layout_variables, mapped_bytes

BMAP = """\
<?xml version="1.0" ?>
<bmap version="2.0">
    <BlockSize> 4096 </BlockSize>
    <BlockMap>
        <Range chksum="x"> 0-1 </Range>
        <Range chksum="y"> 5 </Range>
    </BlockMap>
</bmap>
"""


def test_ranges_of_a_bmap_in_bytes() -> None:
    assert mapped_bytes(BMAP) == [(0, 8191), (20480, 24575)]


def test_the_layer_says_where_data_is() -> None:
    variables = layout_variables()
    assert int(variables["VOICE_ASSISTANT_DATA_OFFSET_MB"]) % 4 == 0
    assert len(variables["VOICE_ASSISTANT_DISK_ID"]) == 8
