import QtQuick

/// Earlier finals, the newest on top.
ListView {
    id: list

    /// Text that is shown in large letters above the list; its line leaves it out.
    property string newestText

    clip: true
    boundsBehavior: Flickable.StopAtBounds
    Accessible.role: Accessible.List
    Accessible.name: qsTr("History")

    // Shows the newest entry, unless somebody scrolls.
    onCountChanged: if (!moving)
        positionViewAtBeginning()

    delegate: HistoryEntry {
        width: ListView.view.width
        // Whole entries only, unless somebody scrolls.
        opacity: ListView.view.moving || y - ListView.view.contentY + height <= ListView.view.height + 1 ? 1 : 0
        textShown: index > 0 || text !== (ListView.view as HistoryList).newestText
    }
}
