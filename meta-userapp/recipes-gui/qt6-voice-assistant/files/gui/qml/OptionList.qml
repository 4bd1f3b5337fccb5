import QtQuick
import VoiceAssistant

/// A list to choose one out of several; each line is large enough for a finger.
ListView {
    id: list

    /// Objects with `value`, `text` and `detail`.
    required property var options
    required property string current

    signal chosen(value: string)

    clip: true
    boundsBehavior: Flickable.StopAtBounds
    spacing: Theme.px(8)
    model: options
    Accessible.role: Accessible.List

    onOptionsChanged: {
        const index = options.findIndex(option => option.value === current);
        positionViewAtIndex(Math.max(0, index), ListView.Contain);
    }

    delegate: Option {
        id: option

        required property var modelData
        readonly property OptionList list: ListView.view as OptionList

        width: ListView.view.width
        text: modelData.text
        detail: modelData.detail
        current: modelData.value === list.current
        onClicked: list.chosen(modelData.value)
    }
}
