import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    name: "Icon"
    when: windowShown
    width: 200
    height: 200
    visible: true

    Icon {
        id: icon
        size: 100
        color: "#ff0000"
        name: "check"
    }

    /// Share of the pixels in a part of the icon that are drawn.
    function drawn(x: int, y: int, width: int, height: int): real {
        const image = grabImage(icon);
        let count = 0;
        for (let i = x; i < x + width; ++i) {
            for (let j = y; j < y + height; ++j) {
                if (image.red(i, j) > 128 && image.green(i, j) < 64)
                    ++count;
            }
        }
        return count / width / height;
    }

    function test_everyOneIsDrawn_data() {
        return Object.keys(icon.paths).map(name => ({
            "tag": name
        }));
    }
    function test_everyOneIsDrawn(row: var) {
        icon.name = row.tag;
        tryVerify(() => drawn(0, 0, 100, 100) > 0.01);
        verify(drawn(0, 0, 100, 100) < 0.5);
    }
    function test_unknownIsEmpty() {
        icon.name = "nothing";
        tryVerify(() => drawn(0, 0, 100, 100) === 0);
    }
    function init() {
        icon.directional = false;
        icon.LayoutMirroring.enabled = false;
        icon.name = "check";
    }
    function test_othersDoNotTurn() {
        icon.LayoutMirroring.enabled = true;
        icon.name = "back";
        tryVerify(() => drawn(30, 40, 12, 20) > drawn(58, 40, 12, 20), 5000, "points to the left");
    }
    function test_directionalTurnsWithTheText() {
        icon.directional = true;
        icon.name = "back";
        tryVerify(() => drawn(30, 40, 12, 20) > drawn(58, 40, 12, 20), 5000, "points to the left");
        icon.LayoutMirroring.enabled = true;
        tryVerify(() => drawn(30, 40, 12, 20) < drawn(58, 40, 12, 20), 5000, "points to the right");
    }
}
