import QtQuick

/// Languages by the names that their speakers give them.
QtObject {
    /// Where Qt has none, or names a country's variety.
    readonly property var own: ({
        "ba": "Башҡортса",
        "en": "English",
        "es": "Español",
        "haw": "ʻŌlelo Hawaiʻi",
        "jw": "Basa Jawa",
        "pt": "Português",
        "yue": "粵語",
        "zh": "中文"
    })

    /// The name for one of Whisper's codes, or "auto"; a code that nobody knows stays a code.
    function name(code: string): string {
        if (code === "auto")
            return qsTr("Automatic");
        if (code in own)
            return own[code];
        const locale = Qt.locale(code);
        if (locale.name === "C" || locale.nativeLanguageName === "")
            return code;
        return locale.nativeLanguageName.charAt(0).toUpperCase() + locale.nativeLanguageName.slice(1);
    }
}
