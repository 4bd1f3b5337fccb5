import QtQuick

/// Earlier finals, the newest on top.
ListView {
    id: list

    /// Stands in large letters already, so that its line leaves it out.
    property string newestText

    clip: true
    boundsBehavior: Flickable.StopAtBounds
    Accessible.role: Accessible.List
    Accessible.name: qsTr("History")

    // From the newest on, unless somebody leafs through it.
    onCountChanged: if (!moving)
        positionViewAtBeginning()

    delegate: HistoryEntry {
        width: ListView.view.width
        textShown: index > 0 || text !== (ListView.view as HistoryList).newestText
    }
}
