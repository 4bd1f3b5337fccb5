import QtQuick
import QtTest
import VoiceAssistant

TestCase {
    name: "LanguageNames"

    LanguageNames {
        id: names
    }

    function test_name_data() {
        const known = {
            "auto": "Automatic",
            "en": "English",
            "de": "Deutsch",
            "fr": "Français",
            "es": "Español",
            "pt": "Português",
            "zh": "中文",
            "jw": "Basa Jawa",
            "xx": "xx"
        };
        return Object.entries(known).map(([code, name]) => ({
            "tag": code,
            "name": name
        }));
    }
    function test_name(row: var) {
        compare(names.name(row.tag), row.name);
    }
}
