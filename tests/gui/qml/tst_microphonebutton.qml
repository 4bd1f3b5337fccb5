import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    id: test
    name: "MicrophoneButton"
    when: windowShown
    width: 400
    height: 400
    visible: true

    Inspector {
        id: inspector
    }
    Component {
        id: component
        MicrophoneButton {
            conversationState: Conversation.Idle
            level: 0
            reason: ""
            reasonSymbol: "microphone-off"
            height: 400
            holdMs: 100
            focus: true
            // As the conversation does.
            onBegin: conversationState = Conversation.Held
            onLetGo: conversationState = Conversation.Sent
            onTapped: conversationState = conversationState === Conversation.Held ? Conversation.Tapped : Conversation.Sent
            onDismissed: conversationState = Conversation.Idle
            onCancelled: conversationState = Conversation.Idle
        }
    }
    SignalSpy {
        id: begun
        signalName: "begin"
    }
    SignalSpy {
        id: letGo
        signalName: "letGo"
    }
    SignalSpy {
        id: tapped
        signalName: "tapped"
    }
    SignalSpy {
        id: cancelled
        signalName: "cancelled"
    }
    SignalSpy {
        id: dismissed
        signalName: "dismissed"
    }

    function make(properties: var): MicrophoneButton {
        const button = createTemporaryObject(component, test, properties);
        for (const spy of [begun, letGo, tapped, dismissed, cancelled]) {
            spy.target = button;
            spy.clear();
        }
        return button;
    }
    function counts(): var {
        return [begun.count, letGo.count, tapped.count, dismissed.count];
    }

    function test_stateIsToldByWordAndDrawing() {
        const button = make({});
        const looks = [];
        for (const state of [Conversation.Idle, Conversation.Held, Conversation.Sent, Conversation.Error]) {
            button.conversationState = state;
            looks.push([inspector.find(button, "word").text, button.symbol]);
        }
        compare(looks.map(look => look[0]), ["Speak", "Listening", "Thinking", "Error"]);
        compare(new Set(looks.map(look => look[1])).size, 4);
    }
    function test_holdingTalks() {
        const button = make({});
        mousePress(button, 100, 200);
        compare(counts(), [1, 0, 0, 0], "begins with the touch itself");
        tryVerify(() => button.held);
        compare(button.advice, "Release to send");
        mouseRelease(button, 100, 200);
        compare(counts(), [1, 1, 0, 0]);
    }
    function test_tapsTalk() {
        const button = make({});
        mouseClick(button, 100, 200);
        compare(counts(), [1, 0, 1, 0], "the first one is told, so that it is no longer held");
        compare(button.conversationState, Conversation.Tapped);
        compare(button.advice, "Tap to send");
        mouseClick(button, 100, 200);
        compare(counts(), [1, 0, 2, 0]);
    }
    function test_slippingFingerGoesOnTalking() {
        const button = make({});
        mousePress(button, 100, 200);
        tryVerify(() => button.held);
        mouseMove(test, 390, 5);
        compare(counts(), [1, 0, 0, 0]);
        mouseRelease(test, 390, 5);
        compare(counts(), [1, 1, 0, 0]);
    }
    function test_reasonStandsInPlaceOfTheWord() {
        const button = make({
            "reason": "No microphone"
        });
        compare(inspector.find(button, "word").text, "No microphone");
        compare(button.symbol, "microphone-off");
        mouseClick(button, 100, 200);
        compare(counts(), [0, 0, 0, 0]);
    }
    function test_thinkingTakesNoTouch_data() {
        return [
            {
                "tag": "push-to-talk",
                "state": Conversation.Sent
            },
            {
                "tag": "hands-free",
                "state": Conversation.HandsFreeSent
            }
        ];
    }
    function test_thinkingTakesNoTouch(row: var) {
        make({
            "conversationState": row.state
        });
        mouseClick(test, 100, 200);
        compare(counts(), [0, 0, 0, 0]);
    }
    function test_touchLeavesTheErrorAndTalks_data() {
        return [
            {
                "tag": "error",
                "state": Conversation.Error
            },
            {
                "tag": "error until the backend is ready",
                "state": Conversation.ErrorUntilReady
            }
        ];
    }
    function test_touchLeavesTheErrorAndTalks(row: var) {
        const button = make({
            "conversationState": row.state
        });
        mouseClick(button, 100, 200);
        compare(counts(), [1, 0, 1, 1]);
    }
    function test_errorWithoutBackendIsOnlyLeft() {
        const button = make({
            "conversationState": Conversation.Error,
            "reason": "No connection"
        });
        compare(button.word, "No connection");
        mouseClick(button, 100, 200);
        compare(counts(), [0, 0, 0, 1]);
    }
    function test_failureBeforeTheFingerIsLiftedEndsIt() {
        const button = make({});
        mousePress(button, 100, 200);
        button.conversationState = Conversation.Error;
        mouseRelease(button, 100, 200);
        compare(counts(), [1, 0, 0, 0]);
    }
    function test_touchTakesOverFromHandsFree() {
        const button = make({
            "conversationState": Conversation.HandsFree
        });
        compare(button.advice, "Tap to cancel");
        mousePress(button, 100, 200);
        compare(counts(), [1, 0, 0, 0]);
        tryVerify(() => button.held);
        mouseRelease(button, 100, 200);
        compare(counts(), [1, 1, 0, 0]);
        compare(cancelled.count, 0);
    }
    function test_aTapCancelsHandsFree_data() {
        return [
            {
                "tag": "with a microphone of the screen's",
                "reason": "",
                "begun": 1
            },
            {
                "tag": "without one",
                "reason": "No microphone",
                "begun": 0
            }
        ];
    }
    function test_aTapCancelsHandsFree(row: var) {
        const button = make({
            "conversationState": Conversation.HandsFree,
            "reason": row.reason
        });
        mouseClick(button, 100, 200);
        compare(counts(), [row.begun, 0, 0, 0]);
        compare(cancelled.count, 1);
        compare(button.conversationState, Conversation.Idle);
        mouseClick(button, 100, 200);
        compare(cancelled.count, 1);
    }
    function test_keyTalks_data() {
        return [
            {
                "tag": "space",
                "key": Qt.Key_Space
            },
            {
                "tag": "return",
                "key": Qt.Key_Return
            }
        ];
    }
    function test_keyTalks(row: var) {
        const button = make({});
        button.forceActiveFocus();
        keyPress(row.key);
        compare(counts(), [1, 0, 0, 0]);
        tryVerify(() => button.held);
        keyRelease(row.key);
        compare(counts(), [1, 1, 0, 0]);
    }
    function test_otherKeysDoNothing() {
        make({}).forceActiveFocus();
        keyClick(Qt.Key_A);
        compare(counts(), [0, 0, 0, 0]);
    }
    function test_accessible() {
        const button = make({});
        compare(button.Accessible.role, Accessible.Button);
        compare(button.Accessible.name, "Speak");
        verify(button.activeFocusOnTab);
    }
}
