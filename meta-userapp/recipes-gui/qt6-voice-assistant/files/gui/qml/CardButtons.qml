import QtQuick
import VoiceAssistant

/// What can be answered to a question with a finger: yes and no, or one of several choices.
Flow {
    id: buttons

    /// Empty: yes or no.
    required property var choices

    signal confirmed(isYes: bool)
    signal chosen(index: int)

    spacing: Theme.spacing

    component Answer: TouchButton {
        width: parent ? Math.min(implicitWidth, parent.width) : implicitWidth
        color: Theme.surfacePressed
    }

    Answer {
        objectName: "yes"
        visible: buttons.choices.length === 0
        text: qsTr("Yes")
        width: Theme.px(130)
        color: Theme.accent
        textColor: Theme.textOnAccent
        onClicked: buttons.confirmed(true)
    }
    Answer {
        objectName: "no"
        visible: buttons.choices.length === 0
        text: qsTr("No")
        width: Theme.px(130)
        onClicked: buttons.confirmed(false)
    }
    Repeater {
        model: buttons.choices

        Answer {
            required property int index
            required property string modelData

            objectName: "choice"
            text: modelData
            onClicked: (parent as CardButtons).chosen(index)
        }
    }
}
