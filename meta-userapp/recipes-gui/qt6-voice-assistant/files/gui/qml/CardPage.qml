import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// The card of the newest command, with what was heard above it and the history below.
ColumnLayout {
    id: page

    required property CommandCard card
    required property string partialText
    required property string finalText
    /// Whether somebody speaks, or has spoken and there is no text yet.
    required property bool busy
    required property TranscriptionModel history
    property bool historyShown: true

    /// Beside the card's buttons.
    signal tapped
    signal undone
    signal confirmed(isYes: bool)
    signal chosen(index: int)

    spacing: Theme.px(8)

    Text {
        objectName: "text"
        Layout.fillWidth: true
        text: page.partialText !== "" ? page.partialText : page.finalText
        textFormat: Text.PlainText
        color: Theme.textDim
        font.pixelSize: Theme.fontMedium
        // What is being said shows its end.
        elide: page.partialText !== "" ? Text.ElideLeft : Text.ElideRight
        maximumLineCount: 1
        horizontalAlignment: Text.AlignLeft
        Accessible.role: Accessible.StaticText
        Accessible.name: text
    }
    CardView {
        objectName: "card"
        Layout.fillWidth: true
        card: page.card
        answerable: !page.busy
        onUndone: page.undone()
        onConfirmed: isYes => page.confirmed(isYes)
        onChosen: index => page.chosen(index)

        TapHandler {
            onTapped: page.tapped()
        }
    }
    HistoryList {
        objectName: "history"
        Layout.fillWidth: true
        Layout.fillHeight: true
        visible: page.historyShown
        newestText: page.finalText
        model: page.history
    }
    Item {
        Layout.fillHeight: true
        visible: !page.historyShown
    }
}
