import QtQuick
import VoiceAssistant

/// What a backend says of commands, as it says it: one for each look of the card.
QtObject {
    readonly property var names: ["doing", "done", "long", "undone", "told", "refused", "timedOut", "which", "sure", "meant"]
    readonly property string temperature: "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"

    function intent(name: string, zone: string): var {
        return {
            "name": name,
            "slots": zone === "" ? [] : [
                {
                    "name": "zone",
                    "value": zone
                }
            ]
        };
    }
    function contact(name: string): var {
        return {
            "name": "CallContact",
            "slots": [
                {
                    "name": "contact",
                    "value": name
                }
            ]
        };
    }
    function held(path: string, before: var, value: var, unit: string): var {
        return {
            "path": path,
            "value": value,
            "previous": before,
            "unit": unit
        };
    }
    function done(intent: string, signals: var): var {
        return {
            "type": "action",
            "intent": intent,
            "outcome": "done",
            "held": signals
        };
    }
    function refused(intent: string, outcome: string, cause: string): var {
        return {
            "type": "action",
            "intent": intent,
            "outcome": outcome,
            "held": [],
            "reason": {
                "cause": cause
            }
        };
    }
    function understood(command: var): var {
        return {
            "type": "intent",
            "intent": command,
            "question": null,
            "alternatives": []
        };
    }
    function asked(question: string, readings: var): var {
        return {
            "type": "intent",
            "intent": null,
            "question": question,
            "alternatives": readings
        };
    }
    function answer(english: string, german: string, language: string): var {
        return {
            "type": "answer",
            "text": language === "de" ? german : english
        };
    }
    function messages(name: string, language: string): var {
        switch (name) {
        case "doing":
            return [understood(intent("SetTemperature", ""))];
        case "done":
            return [understood(intent("SetTemperature", "")), done("SetTemperature", [held(temperature, 19, 21, "celsius")])];
        case "long":
            return [understood(intent("SetSeatVentilation", "rear_passenger_side")),
                done("SetSeatVentilation", [held("A.HeatingCooling", -100, -66, "percent"), held("B.HeatingCooling", -66, -33, "percent")])];
        case "undone":
            return messages("done", language).concat([understood(intent("Undo", "")), done("Undo", [held(temperature, 21, 19, "celsius")])]);
        case "told":
            return [understood(contact("Anna Smith")), refused("CallContact", "refused", "elsewhere"),
                answer("I am passing the call to Anna Smith on to the phone.", "Ich gebe den Anruf bei Anna Smith ans Telefon weiter.", language)];
        case "refused":
            return [understood(intent("OpenTrunk", "")), refused("OpenTrunk", "refused", "moving"),
                answer("I cannot open the trunk while the car is moving.", "Während der Fahrt kann ich den Kofferraum nicht öffnen.", language)];
        case "timedOut":
            return [understood(intent("OpenWindow", "rear_left")), refused("OpenWindow", "timed_out", ""),
                answer("The car did not answer in time, and may still do it.", "Das Auto hat nicht rechtzeitig geantwortet und tut es vielleicht noch.", language)];
        case "which":
            return [asked("which", [contact("Anna Smith"), contact("Anna Jones"), contact("Anna Featherstonehaugh")]),
                answer("Which one: Anna Smith, Anna Jones or Anna Featherstonehaugh?", "Welcher: Anna Smith, Anna Jones oder Anna Featherstonehaugh?", language)];
        case "sure":
            return [asked("sure", [intent("OpenWindow", "rear_left")]), answer("Did you mean: open the rear left window?", "Meinten Sie: öffne das Fenster hinten links?", language)];
        case "meant":
            return [asked("meant", []), answer("Did you mean: turn on the seat heating?", "Meinten Sie: schalte die Sitzheizung ein?", language)];
        }
        return [];
    }
    /// Have the card show one of `names`.
    function tell(backend: var, card: CommandCard, name: string, language: string) {
        backend.tell(card, {
            "type": "none"
        });
        for (const message of messages(name, language))
            backend.tell(card, Object.assign({
                "utterance_id": "f3a9-1",
                "language": language
            }, message));
    }
}
