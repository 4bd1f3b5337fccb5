import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    name: "Trouble"

    Trouble {
        id: trouble
        backendState: NetworkManager.Ready
        backendMessage: ""
        error: ""
        errorWayOut: ""
        settingsShown: false
    }
    SignalSpy {
        id: dismissed
        target: trouble
        signalName: "dismissed"
    }
    SignalSpy {
        id: checkRequested
        target: trouble
        signalName: "checkRequested"
    }

    function init() {
        trouble.backendState = NetworkManager.Ready;
        trouble.backendMessage = "";
        trouble.error = "";
        trouble.errorWayOut = "";
        trouble.settingsShown = false;
        trouble.notice = "";
        dismissed.clear();
        checkRequested.clear();
    }
    function loseBackend(state: int) {
        trouble.backendState = state;
        trouble.backendMessage = "The assistant does not answer any more.";
    }

    function test_none() {
        compare(trouble.kind, Trouble.None);
        loseBackend(NetworkManager.Starting);
        compare(trouble.kind, Trouble.None);
    }
    function test_theMostSeriousComesFirst() {
        trouble.notice = "The history cannot be stored.";
        compare([trouble.kind, trouble.message, trouble.wayOut], [Trouble.Notice, trouble.notice, ""]);
        trouble.error = "The model failed.";
        trouble.errorWayOut = "Try again.";
        compare([trouble.kind, trouble.message, trouble.wayOut], [Trouble.Conversation, "The model failed.", "Try again."]);
        compare(trouble.action, "OK");
        loseBackend(NetworkManager.Lost);
        compare([trouble.kind, trouble.message], [Trouble.Backend, trouble.backendMessage]);
        compare(trouble.wayOut, "It comes back by itself. Your history is kept.");
        compare(trouble.action, "Try now");
        trouble.settingsShown = true;
        compare(trouble.kind, Trouble.Conversation);
    }
    function test_aBackendThatFailsNamesItsWayOutItself() {
        loseBackend(NetworkManager.Failed);
        compare([trouble.kind, trouble.wayOut], [Trouble.Backend, ""]);
    }
    function test_theButtonEndsWhatHasBeenRead() {
        trouble.notice = "The history cannot be stored.";
        trouble.act();
        compare([trouble.notice, dismissed.count, checkRequested.count], ["", 1, 0]);
    }
    function test_theButtonAsksForALostBackend() {
        loseBackend(NetworkManager.Lost);
        trouble.act();
        compare([dismissed.count, checkRequested.count], [1, 1]);
    }
}
