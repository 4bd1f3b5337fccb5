import QtQuick
import VoiceAssistant

/// Hold it and speak, or tap it, speak and tap again.
///
/// Recording begins with the touch, so that the first word is not lost; its release decides whether it was a tap.
Item {
    id: button

    /// Conversation.State
    required property int conversationState
    /// Loudness, 0 to 1.
    required property real level
    /// Why it cannot be used, one or two words; empty when it can.
    required property string reason
    /// The same as a symbol: one of Icon's names.
    required property string reasonSymbol

    readonly property bool usable: reason === ""
    /// Whether the screen's microphone records, rather than the backend's.
    readonly property bool ours: conversationState === Conversation.Held || conversationState === Conversation.Tapped
    readonly property bool listening: ours || conversationState === Conversation.HandsFree
    readonly property bool thinking: {
        return conversationState === Conversation.Sent || conversationState === Conversation.HandsFreeSent;
    }
    readonly property bool failed: {
        return conversationState === Conversation.Error || conversationState === Conversation.ErrorUntilReady;
    }
    readonly property bool pressed: touch.pressed || keyDown

    readonly property string word: {
        if (failed)
            return usable ? qsTr("Error") : reason;
        if (listening)
            return qsTr("Listening");
        if (thinking)
            return qsTr("Thinking");
        return usable ? qsTr("Speak") : reason;
    }
    readonly property string advice: {
        if (failed)
            return usable ? qsTr("Tap to try again") : "";
        if (listening)
            return !ours ? qsTr("Tap to cancel") : held ? qsTr("Release to send") : qsTr("Tap to send");
        if (thinking)
            return qsTr("One moment");
        return usable ? qsTr("Hold or tap") : "";
    }
    readonly property string symbol: {
        if (failed)
            return "warning";
        if (listening)
            return "sound";
        if (thinking)
            return "";
        return usable ? "microphone" : reasonSymbol;
    }

    /// Milliseconds; a shorter touch is a tap.
    property int holdMs: 400
    /// Whether the present touch has lasted longer than a tap.
    property bool held: false
    property bool began: false
    /// Whether it interrupted hands-free listening.
    property bool interrupts: false
    property bool keyDown: false

    /// A touch began.
    signal begin
    /// A touch that was longer than a tap ended.
    signal letGo
    /// A tap ended, the first or the second one.
    signal tapped
    /// A tap ended hands-free listening.
    signal cancelled
    /// A touch ended the state Error.
    signal dismissed

    function down() {
        held = false;
        began = false;
        interrupts = listening && !ours;
        if (failed)
            dismissed();
        if (usable && !failed && !thinking && !ours) {
            began = true;
            holdTimer.restart();
            begin();
        }
    }
    function up() {
        holdTimer.stop();
        if (began && held)
            letGo();
        else if (interrupts)
            cancelled();
        else if (ours)
            tapped();
        held = false;
        began = false;
    }
    function isTalkKey(key: int): bool {
        return key === Qt.Key_Space || key === Qt.Key_Return || key === Qt.Key_Enter || key === Qt.Key_VoiceDial;
    }

    component Dot: Rectangle {
        required property bool lit
        width: Theme.px(18)
        height: width
        radius: width / 2
        color: lit ? Theme.accent : Theme.outline
    }

    implicitWidth: Theme.px(236)
    implicitHeight: column.implicitHeight
    activeFocusOnTab: true

    Accessible.role: Accessible.Button
    Accessible.name: word
    Accessible.description: advice
    Accessible.focusable: true
    Accessible.onPressAction: {
        down();
        up();
    }
    Keys.onPressed: event => {
        if (!isTalkKey(event.key))
            return;
        event.accepted = true;
        if (!event.isAutoRepeat && !keyDown) {
            keyDown = true;
            down();
        }
    }
    Keys.onReleased: event => {
        if (!isTalkKey(event.key))
            return;
        event.accepted = true;
        if (!event.isAutoRepeat && keyDown) {
            keyDown = false;
            up();
        }
    }

    Timer {
        id: holdTimer
        interval: button.holdMs
        onTriggered: button.held = true
    }

    Column {
        id: column
        anchors.centerIn: parent
        width: parent.width
        spacing: Theme.px(4)

        Item {
            id: disc
            objectName: "disc"
            anchors.horizontalCenter: parent.horizontalCenter
            width: Theme.px(216)
            height: width

            // While listening, its width follows the loudness.
            Rectangle {
                anchors.centerIn: parent
                visible: button.listening
                width: circle.width + Math.round(button.level * (disc.width - circle.width) / 2) * 2
                height: width
                radius: width / 2
                color: Theme.surfacePressed
                border.width: Theme.line
                border.color: Theme.accent
                Behavior on width {
                    SmoothedAnimation {
                        velocity: -1
                        duration: 120
                    }
                }
            }

            Rectangle {
                id: circle
                anchors.centerIn: parent
                width: Theme.px(172)
                height: width
                radius: width / 2
                color: {
                    if (button.listening)
                        return Theme.accent;
                    return button.pressed && button.usable ? Theme.surfacePressed : Theme.surface;
                }
                border.width: Theme.px(button.activeFocus ? 6 : 4)
                border.color: {
                    if (button.failed)
                        return Theme.alert;
                    return button.usable && !button.thinking ? Theme.accent : Theme.outline;
                }
            }

            Icon {
                anchors.centerIn: parent
                visible: button.symbol !== ""
                name: button.symbol
                size: Theme.px(84)
                color: {
                    if (button.listening)
                        return Theme.textOnAccent;
                    if (button.failed)
                        return Theme.alert;
                    return button.usable ? Theme.accent : Theme.textDim;
                }
            }

            Row {
                anchors.centerIn: parent
                visible: button.thinking
                spacing: Theme.px(12)
                Dot {
                    lit: dots.step === 0
                }
                Dot {
                    lit: dots.step === 1
                }
                Dot {
                    lit: dots.step === 2
                }
            }

            Timer {
                id: dots
                property int step: 0
                interval: 250
                repeat: true
                running: button.thinking && button.visible
                onTriggered: step = (step + 1) % 3
            }
        }

        Text {
            objectName: "word"
            width: parent.width
            text: button.word
            color: button.failed ? Theme.alert : Theme.text
            font.pixelSize: Theme.fontLarge
            font.weight: Font.Medium
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.Wrap
        }
        Text {
            objectName: "advice"
            width: parent.width
            text: button.advice
            color: Theme.textDim
            font.pixelSize: Theme.fontSmall
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.Wrap
        }
    }

    // A button of Qt Quick Controls would count a finger that slips off as a release, and fingers slip on a rough road.
    MouseArea {
        id: touch
        objectName: "touch"
        anchors.fill: parent
        preventStealing: true
        onPressed: {
            button.forceActiveFocus(Qt.MouseFocusReason);
            button.down();
        }
        onReleased: button.up()
        onCanceled: button.up()
    }
}
