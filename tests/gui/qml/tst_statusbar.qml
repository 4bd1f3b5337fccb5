import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "StatusBar"
    when: windowShown
    width: 800
    height: 100
    visible: true

    Inspector {
        id: inspector
    }
    StatusBar {
        id: bar
        width: 800
        backendState: NetworkManager.Starting
        microphone: "Cabin microphone"
        handsFree: false
        version: "1.2.3"
    }
    SignalSpy {
        id: requested
        target: bar
        signalName: "settingsRequested"
    }

    function fact(name: string): var {
        return inspector.find(bar, name);
    }

    function init() {
        bar.backendState = NetworkManager.Ready;
        bar.microphone = "Cabin microphone";
        bar.handsFree = false;
    }
    function test_backendIsToldByWordAndDrawing() {
        const looks = [];
        const states = [NetworkManager.Starting, NetworkManager.Ready, NetworkManager.Lost, NetworkManager.Failed];
        for (const state of states) {
            bar.backendState = state;
            looks.push([fact("backend").text, fact("backend").symbol]);
        }
        compare(looks.map(look => look[0]), ["Starting", "Ready", "No connection", "Out of order"]);
        compare(new Set(looks.map(look => look[1])).size, 4);
    }
    function test_troubleHasTheColourOfTrouble() {
        bar.backendState = NetworkManager.Lost;
        compare(fact("backend").color, Theme.alert);
        bar.backendState = NetworkManager.Ready;
        compare(fact("backend").color, Theme.text);
    }
    function test_microphone() {
        compare(fact("microphone").text, "Cabin microphone");
        bar.microphone = "";
        compare(fact("microphone").text, "No microphone");
        compare(fact("microphone").symbol, "microphone-off");
    }
    function test_handsFree() {
        verify(!fact("handsFree").visible);
        bar.handsFree = true;
        verify(fact("handsFree").visible);
    }
    function test_version() {
        compare(fact("version").text, "1.2.3");
    }
    function test_settings() {
        mouseClick(fact("settingsButton"));
        compare(requested.count, 1);
        compare(fact("settingsButton").Accessible.name, "Settings");
    }
    function test_longNameIsCutAndPushesNothingOut() {
        bar.microphone = "A microphone with a name that is much too long for any line on any screen";
        bar.handsFree = true;
        bar.backendState = NetworkManager.Lost;
        waitForRendering(bar);
        const button = fact("settingsButton");
        verify(button.mapToItem(bar, 0, 0).x + button.width <= bar.width);
        verify(!fact("backend").children[1].truncated);
    }
}
