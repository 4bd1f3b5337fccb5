import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "ErrorBanner"
    when: windowShown
    width: 800
    height: 300
    visible: true

    Inspector {
        id: inspector
    }
    ErrorBanner {
        id: banner
        width: 776
        message: "The assistant does not answer any more."
        wayOut: "It comes back by itself."
        action: "Try now"
    }
    SignalSpy {
        id: acted
        target: banner
        signalName: "acted"
    }

    function init() {
        banner.message = "The assistant does not answer any more.";
        banner.wayOut = "It comes back by itself.";
        banner.action = "Try now";
        acted.clear();
    }
    function test_saysWhatAndWhatToDo() {
        compare(inspector.find(banner, "message").text, "The assistant does not answer any more.");
        compare(inspector.find(banner, "wayOut").text, "It comes back by itself.");
        compare(banner.Accessible.name, "The assistant does not answer any more. It comes back by itself.");
        compare(banner.Accessible.role, Accessible.AlertMessage);
    }
    function test_buttonActs() {
        mouseClick(inspector.find(banner, "action"));
        compare(acted.count, 1);
        inspector.find(banner, "action").forceActiveFocus();
        keyClick(Qt.Key_Space);
        compare(acted.count, 2);
    }
    function test_withoutActionThereIsNoButton() {
        banner.action = "";
        verify(!inspector.find(banner, "action").visible);
    }
    function test_longSentencesFit() {
        banner.message = "The microphone “A name of a device that is rather long” delivers no sound. "
            + "Plug it in again, or choose another one in the settings.";
        banner.wayOut = "Check the microphone, or choose another one in the settings.";
        waitForRendering(banner);
        compare(inspector.complaints(banner, Theme.touchTarget), []);
        banner.wayOut = "";
        verify(!inspector.find(banner, "wayOut").visible);
    }
    function test_markupIsNotRead() {
        compare(inspector.find(banner, "message").textFormat, Text.PlainText);
        compare(inspector.find(banner, "wayOut").textFormat, Text.PlainText);
    }
}
