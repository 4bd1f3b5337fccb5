import QtQuick
import VoiceAssistant

/// A page to choose one out of several.
Item {
    id: page

    required property string title
    /// Objects with `value`, `text` and `detail`.
    required property var options
    required property string current

    signal chosen(value: string)
    signal back

    PageHeader {
        id: header
        anchors {
            left: parent.left
            right: parent.right
            top: parent.top
        }
        title: page.title
        onBack: page.back()
    }
    OptionList {
        objectName: "options"
        anchors {
            left: parent.left
            right: parent.right
            top: header.bottom
            topMargin: Theme.spacing
            bottom: parent.bottom
        }
        options: page.options
        current: page.current
        onChosen: value => page.chosen(value)
    }
}
