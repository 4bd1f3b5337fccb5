import QtQuick
import QtQuick.Layouts
import VoiceAssistant

/// What a card is about, and the value: what held before is dim, what holds now is large.
RowLayout {
    id: heading

    /// One of Icon's names.
    required property string area
    required property string title
    /// Where in the car; empty: nowhere, or everywhere.
    required property string place
    required property string value
    /// Empty: not known, or the same.
    required property string before

    spacing: Theme.margin
    Accessible.role: Accessible.StaticText
    Accessible.name: `${titleLine.text} ${before} ${value}`.trim()

    Rectangle {
        Layout.alignment: Qt.AlignTop
        implicitWidth: Theme.px(72)
        implicitHeight: implicitWidth
        radius: Theme.radius
        color: Theme.background

        Icon {
            objectName: "area"
            anchors.centerIn: parent
            name: heading.area
            size: Theme.px(46)
            color: Theme.text
        }
    }
    ColumnLayout {
        Layout.alignment: Qt.AlignVCenter
        spacing: 0

        Text {
            id: titleLine
            objectName: "title"
            Layout.fillWidth: true
            visible: text !== ""
            //: What a command is about, and where in the car: Window, rear left
            text: heading.place === "" ? heading.title : qsTr("%1, %2").arg(heading.title).arg(heading.place)
            textFormat: Text.PlainText
            color: Theme.textDim
            font.pixelSize: Theme.fontMedium
            wrapMode: Text.Wrap
            elide: Text.ElideRight
            maximumLineCount: 2
            horizontalAlignment: Text.AlignLeft
        }
        // Not a layout, as what held before gives way as soon as the width is known.
        Item {
            id: values

            readonly property real spacing: Theme.px(10)
            readonly property real wanted: beforeText.implicitWidth + arrow.width + valueText.implicitWidth + 2 * spacing
            readonly property bool isBeforeShown: heading.before !== "" && wanted <= width

            Layout.fillWidth: true
            implicitHeight: valueText.implicitHeight
            visible: heading.value !== ""

            Text {
                id: beforeText
                objectName: "before"
                anchors {
                    left: parent.left
                    verticalCenter: parent.verticalCenter
                }
                visible: values.isBeforeShown
                text: heading.before
                textFormat: Text.PlainText
                color: Theme.textDim
                font.pixelSize: Theme.fontLarge
            }
            Icon {
                id: arrow
                objectName: "arrow"
                anchors {
                    left: beforeText.right
                    leftMargin: values.spacing
                    verticalCenter: parent.verticalCenter
                }
                visible: values.isBeforeShown
                name: "arrow"
                directional: true
                size: Theme.px(30)
                color: Theme.textDim
            }
            Text {
                id: valueText
                objectName: "value"
                anchors {
                    left: values.isBeforeShown ? arrow.right : parent.left
                    leftMargin: values.isBeforeShown ? values.spacing : 0
                    right: parent.right
                }
                text: heading.value
                textFormat: Text.PlainText
                color: Theme.text
                font.pixelSize: Theme.fontHuge
                font.weight: Font.Medium
                elide: Text.ElideRight
                horizontalAlignment: Text.AlignLeft
            }
        }
    }
}
