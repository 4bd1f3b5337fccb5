import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// A command: what it is about, what became of it, and what can be answered to it.
Rectangle {
    id: view

    required property CommandCard card
    /// Whether a finger may answer; not while somebody speaks.
    required property bool answerable

    signal undone
    signal confirmed(isYes: bool)
    signal chosen(index: int)

    implicitHeight: column.implicitHeight + 2 * Theme.px(16)
    radius: Theme.radius
    color: Theme.surface
    border.width: Theme.line
    border.color: Theme.outline

    Accessible.role: Accessible.Grouping
    Accessible.name: card.title

    ColumnLayout {
        id: column
        anchors {
            left: parent.left
            right: parent.right
            top: parent.top
            margins: Theme.px(16)
        }
        spacing: Theme.spacing

        CardHeading {
            objectName: "heading"
            Layout.fillWidth: true
            area: view.card.area
            title: view.card.title
            place: view.card.place
            value: view.card.value
            before: view.card.before
        }
        Text {
            objectName: "sentence"
            Layout.fillWidth: true
            visible: text !== ""
            text: view.card.sentence
            textFormat: Text.PlainText
            color: Theme.text
            font.pixelSize: Theme.fontLarge
            wrapMode: Text.Wrap
            elide: Text.ElideRight
            maximumLineCount: view.answerable ? 3 : 2
            horizontalAlignment: Text.AlignLeft
        }
        RowLayout {
            Layout.fillWidth: true
            spacing: Theme.spacing

            CardState {
                objectName: "state"
                Layout.fillWidth: true
                Layout.minimumHeight: view.card.canUndo ? Theme.touchTarget : 0
                // Who is answering knows that, and the waveform needs the room.
                visible: word !== "" && (view.answerable || view.card.state !== CommandCard.Asking)
                state: view.card.state
            }
            TouchButton {
                objectName: "undo"
                visible: view.card.canUndo && view.answerable
                text: qsTr("Undo")
                color: Theme.surfacePressed
                onClicked: view.undone()
            }
        }
        CardButtons {
            objectName: "answerButtons"
            Layout.fillWidth: true
            visible: view.card.canAnswer && view.answerable
            choices: view.card.choices
            onConfirmed: isYes => view.confirmed(isYes)
            onChosen: index => view.chosen(index)
        }
    }
}
