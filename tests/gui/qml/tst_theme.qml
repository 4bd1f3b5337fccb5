import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    name: "Theme"

    // Every test file shares it.
    function cleanup() {
        Theme.night = true;
        Theme.height = 480;
    }

    // WCAG 2: relative luminance and contrast
    function luminance(color: color): real {
        const linear = channel => channel <= 0.03928 ? channel / 12.92 : Math.pow((channel + 0.055) / 1.055, 2.4);
        return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b);
    }
    function contrast(one: color, other: color): real {
        const a = luminance(one);
        const b = luminance(other);
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }

    function test_contrastOfBlackAndWhite() {
        fuzzyCompare(contrast(Qt.rgba(0, 0, 0, 1), Qt.rgba(1, 1, 1, 1)), 21, 0.01);
    }
    function test_everyTextCanBeRead_data() {
        const rows = [];
        for (const night of [true, false]) {
            for (const text of ["text", "textDim", "accent", "alert", "question"]) {
                for (const ground of ["background", "surface", "surfacePressed"])
                    rows.push({
                        "tag": `${night ? "night" : "day"}: ${text} on ${ground}`,
                        "night": night,
                        "text": text,
                        "ground": ground
                    });
            }
            for (const [text, ground] of [["textOnAccent", "accent"], ["textOnAlert", "alert"]])
                rows.push({
                    "tag": `${night ? "night" : "day"}: ${text} on ${ground}`,
                    "night": night,
                    "text": text,
                    "ground": ground
                });
        }
        return rows;
    }
    function test_everyTextCanBeRead(row: var) {
        Theme.night = row.night;
        const reached = contrast(Theme[row.text], Theme[row.ground]);
        verify(reached >= 7, `${reached.toFixed(2)}:1`);
    }
    function test_outlinesCanBeSeen() {
        for (const night of [true, false]) {
            Theme.night = night;
            for (const ground of [Theme.background, Theme.surface])
                verify(contrast(Theme.outline, ground) >= 3, `${contrast(Theme.outline, ground)}`);
        }
    }
    function test_nightIsDark() {
        Theme.night = true;
        verify(luminance(Theme.background) < 0.01);
        Theme.night = false;
        verify(luminance(Theme.background) > 0.5);
    }
    function test_twelveMillimetresOnSevenInches_data() {
        return [
            {
                "tag": "800x480",
                "width": 800,
                "height": 480
            },
            {
                "tag": "1024x600",
                "width": 1024,
                "height": 600
            },
            {
                "tag": "1280x720",
                "width": 1280,
                "height": 720
            }
        ];
    }
    function test_twelveMillimetresOnSevenInches(row: var) {
        Theme.height = row.height;
        const pixelsPerMillimetre = Math.hypot(row.width, row.height) / 7 / 25.4;
        verify(Theme.touchTarget / pixelsPerMillimetre >= 12, `${Theme.touchTarget / pixelsPerMillimetre} mm`);
    }
    function test_largeType() {
        Theme.height = 480;
        verify(Theme.fontHuge >= 34);
        verify(Theme.fontSmall >= 20);
    }
}
