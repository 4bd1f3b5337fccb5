import QtQuick

/// A page to choose one out of several.
Item {
    id: page

    required property Theme theme
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
        theme: page.theme
        title: page.title
        onBack: page.back()
    }
    OptionList {
        objectName: "options"
        anchors {
            left: parent.left
            right: parent.right
            top: header.bottom
            topMargin: page.theme.spacing
            bottom: parent.bottom
        }
        theme: page.theme
        options: page.options
        current: page.current
        onChosen: value => page.chosen(value)
    }
}
