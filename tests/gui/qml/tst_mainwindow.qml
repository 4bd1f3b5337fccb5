import QtQuick
import QtTest
import VoiceAssistant

/// The whole screen, with a backend that is not there.
TestCase {
    id: test
    name: "MainWindow"
    when: windowShown

    Inspector {
        id: inspector
    }
    Component {
        id: component
        MainWindow {
            // Nobody listens there.
            backendUrl: "http://127.0.0.1:9"
            eventsPort: 9
        }
    }

    function cleanup() {
        // The windows set it, and it outlives them.
        Theme.night = true;
        Theme.height = 480;
        Qt.uiLanguage = "";
    }
    /// Draw, also where nothing has changed, and wait for that.
    function render(window: MainWindow) {
        window.update();
        verify(waitForRendering(window.contentItem));
    }
    function make(properties: var): MainWindow {
        const window = createTemporaryObject(component, null, properties ?? {});
        verify(window);
        tryVerify(() => window.visible);
        render(window);
        return window;
    }
    function part(window: MainWindow, name: string): var {
        return inspector.find(window.contentItem, name);
    }

    function test_startsBeforeTheBackend() {
        const window = make();
        compare(part(window, "talkButton").reason, "Starting");
        compare(part(window, "talkButton").symbol, "hourglass");
        compare(part(window, "transcription").shownText, "The assistant is starting.");
        verify(!part(window, "errorBanner").visible, "that is nothing to complain about");
        verify(!part(window, "waveform").visible);
    }
    function test_layout_data() {
        const rows = [];
        for (const [width, height] of [[800, 480], [1024, 600], [1280, 720]]) {
            for (const language of ["en", "de"])
                rows.push({
                    "tag": `${width}x${height} ${language}`,
                    "width": width,
                    "height": height,
                    "language": language
                });
        }
        return rows;
    }
    function test_layout(row: var) {
        Qt.uiLanguage = row.language;
        const window = make({
            "width": row.width,
            "height": row.height
        });
        tryCompare(window.contentItem, "height", row.height);
        render(window);
        compare(inspector.complaints(window.contentItem, Theme.touchTarget), []);
        part(window, "settingsButton").clicked();
        render(window);
        compare(inspector.complaints(part(window, "settingsPanel"), Theme.touchTarget), []);
    }
    /// Where the panel has a point of the page, as a picture that is turned clockwise has it.
    function onPanel(window: MainWindow, degrees: int, x: real, y: real): point {
        switch (degrees) {
        case 90:
            return Qt.point(window.width - y, x);
        case 180:
            return Qt.point(window.width - x, window.height - y);
        case 270:
            return Qt.point(y, window.height - x);
        }
        return Qt.point(x, y);
    }
    function test_aTurnedScreen_data() {
        return [
            {
                "tag": "the 7 inch display, upside down",
                "turned": "180",
                "degrees": 180,
                "width": 800,
                "height": 480
            },
            {
                "tag": "the portrait display, to the right",
                "turned": "90",
                "degrees": 90,
                "width": 720,
                "height": 1280
            },
            {
                "tag": "the portrait display, to the left",
                "turned": "270",
                "degrees": 270,
                "width": 720,
                "height": 1280
            },
            {
                "tag": "the portrait display, by itself",
                "turned": "auto",
                "degrees": 90,
                "width": 720,
                "height": 1280
            },
            {
                "tag": "a landscape display, by itself",
                "turned": "auto",
                "degrees": 0,
                "width": 1280,
                "height": 720
            },
            {
                "tag": "no multiple of 90",
                "turned": "45",
                "degrees": 0,
                "width": 800,
                "height": 480
            },
        ];
    }
    function test_aTurnedScreen(row: var) {
        const upright = make({
            "width": Math.max(row.width, row.height),
            "height": Math.min(row.width, row.height)
        });
        const page = part(upright, "page");
        tryCompare(page, "width", upright.width);
        render(upright);
        const expected = grabImage(upright.contentItem);
        upright.destroy();

        const window = make({
            "width": row.width,
            "height": row.height,
            "turned": row.turned
        });
        tryCompare(part(window, "page"), "width", expected.width);
        compare(part(window, "page").height, expected.height);
        render(window);
        compare(inspector.complaints(part(window, "page"), Theme.touchTarget), []);

        // The panel's own rows and columns, as a driver sees them.
        const seen = grabImage(window.contentItem);
        let same = 0;
        let all = 0;
        for (let x = 10.5; x < expected.width; x += 20) {
            for (let y = 10.5; y < expected.height; y += 20) {
                const there = onPanel(window, row.degrees, x, y);
                ++all;
                if (Qt.colorEqual(seen.pixel(there.x, there.y), expected.pixel(x, y)))
                    ++same;
            }
        }
        verify(same > 0.95 * all, `${same} of ${all} points are alike`); // the edges of letters differ

        // A finger, in the touch screen's own coordinates.
        const button = part(window, "settingsButton");
        let item = button;
        let x = button.width / 2;
        let y = button.height / 2;
        for (; item.objectName !== "page"; item = item.parent) {
            x += item.x;
            y += item.y;
        }
        const finger = onPanel(window, row.degrees, x, y);
        const touch = touchEvent(window.contentItem);
        touch.press(0, window.contentItem, finger.x, finger.y).commit();
        touch.release(0, window.contentItem, finger.x, finger.y).commit();
        tryVerify(() => part(window, "settingsPanel").visible);
    }
    function test_noticeStandsBetweenBarAndText() {
        const window = make();
        window.notice = "The history cannot be stored.";
        const banner = part(window, "errorBanner");
        tryVerify(() => banner.visible);
        render(window);
        compare(inspector.complaints(window.contentItem, 67), []);
        verify(banner.y + banner.height <= part(window, "transcription").mapToItem(window.contentItem, 0, 0).y);
        mouseClick(inspector.find(banner, "action"));
        verify(!banner.visible);
    }
    function test_settingsAndBack() {
        const window = make();
        window.requestActivate();
        tryVerify(() => window.active);
        verify(part(window, "talkButton").activeFocus, "keys talk from the start");
        mouseClick(part(window, "settingsButton"));
        verify(part(window, "settingsPanel").visible);
        verify(!part(window, "talkButton").visible);
        mouseClick(inspector.find(part(window, "settingsPanel"), "back"));
        verify(!part(window, "settingsPanel").visible);
        verify(part(window, "talkButton").activeFocus);
    }
    function test_theWakeWordClosesTheSettings_data() {
        return [
            {
                "tag": "hands-free",
                "handsFree": true
            },
            {
                "tag": "switched off",
                "handsFree": false
            }
        ];
    }
    function test_theWakeWordClosesTheSettings(row: var) {
        const window = make();
        const backend = part(window, "talkPage").backend;
        const panel = part(window, "settingsPanel");
        panel.settings.wakeWordEnabled = row.handsFree;
        panel.open();
        panel.openText(inspector.find(panel, "apiKey"), "", "", "");
        backend.wakeWordDetected("hey_mycroft");
        compare(panel.visible, !row.handsFree);
        compare(part(window, "listeningBorder").visible, row.handsFree);
        panel.settings.wakeWordEnabled = true;
    }
    function test_whoSpeaksHandsFreeSeesIt() {
        const window = make();
        const backend = part(window, "talkPage").backend;
        verify(!part(window, "listeningBorder").visible);
        backend.pipelineStateChanged("LISTENING");
        backend.handsFreeLevel(-20, 0.667);
        verify(part(window, "listeningBorder").visible);
        fuzzyCompare(part(window, "talkButton").level, 0.667, 0.001);
        const waveform = inspector.find(part(window, "waveform"), "waveform");
        verify(waveform.visible);
        verify(waveform.running);
        backend.pipelineStateChanged("PROCESSING");
        verify(!part(window, "listeningBorder").visible);
        compare(part(window, "talkButton").level, 0);
        backend.pipelineStateChanged("IDLE");
        verify(!part(window, "waveform").visible);
    }
    function test_settingsTellTheVersions() {
        const panel = part(make({
            "systemVersion": "1.0 (7)"
        }), "settingsPanel");
        compare(panel.system, "System 1.0 (7)");
        compare(panel.version, "Screen 1.2.3, backend –");
        compare(part(make(), "settingsPanel").system, "");
    }
    function test_dayAndNight() {
        const window = make();
        const night = window.color;
        mouseClick(part(window, "settingsButton"));
        mouseClick(part(window, "nightTheme"));
        verify(window.color.hslLightness > 0.9);
        mouseClick(part(window, "nightTheme"));
        compare(window.color, night);
    }
    function test_languageChangesAtOnce() {
        const window = make();
        const panel = part(window, "settingsPanel");
        panel.settings.uiLanguage = "de";
        compare(part(window, "talkButton").reason, "Startet");
        panel.settings.uiLanguage = "";
        compare(part(window, "talkButton").reason, "Starting");
    }
    function test_rightToLeftTurnsTheScreenOver() {
        const window = make();
        const x = () => part(window, "talkButton").mapToItem(window.contentItem, 0, 0).x;
        verify(x() > window.width / 2);
        part(window, "page").LayoutMirroring.enabled = true;
        render(window);
        verify(x() < window.width / 2);
        compare(inspector.complaints(window.contentItem, 67), []);
    }
    function test_enteredAddressReplacesTheOneOfTheCommandLine() {
        const window = make();
        const panel = part(window, "settingsPanel");
        compare(panel.backendUrl, "http://127.0.0.1:9");
        panel.backendUrlChosen("http://127.0.0.1:10");
        compare(panel.backendUrl, "http://127.0.0.1:10");
    }
}
