#include "screen/conversation.h"

namespace {

using State = Conversation::State;
using Event = Conversation::Event;

/// A set of states, a bit for each.
using States = unsigned;

template<typename... Items>
constexpr States of(Items... states)
{
    return ((1U << unsigned(states)) | ...);
}

constexpr States Errors = of(State::Error, State::ErrorUntilReady);
constexpr States Rest = of(State::Idle, State::NothingHeard) | Errors;
constexpr States PushToTalk = of(State::Held, State::Tapped, State::Sent);
constexpr States HandsFree = of(State::HandsFree, State::HandsFreeSent);
constexpr States Turn = PushToTalk | HandsFree;

struct Transition
{
    States from;
    Event event;
    State to;
};

// Whatever is not here leaves the state as it is: push-to-talk hears nothing of the backend's microphone.
constexpr Transition Transitions[] = {
    {Rest | HandsFree, Event::Press, State::Held},
    {Rest | HandsFree, Event::Tap, State::Tapped},
    {of(State::Held), Event::Tap, State::Tapped},
    {of(State::Tapped), Event::Tap, State::Sent},
    {of(State::Held), Event::Release, State::Sent},
    {of(State::Tapped), Event::SpeechEnd, State::Sent},
    {of(State::Tapped), Event::Timeout, State::Sent},
    {PushToTalk, Event::StreamEnd, State::Idle},
    {PushToTalk, Event::StreamSilence, State::NothingHeard},
    {PushToTalk, Event::Failure, State::Error},

    {Rest | HandsFree, Event::HandsFreeSpeech, State::HandsFree},
    {of(State::HandsFree), Event::HandsFreeSpeechEnd, State::HandsFreeSent},
    // Also without a turn: events are lost while there is no connection.
    {Rest | HandsFree, Event::HandsFreeFinal, State::Idle},
    {Rest | HandsFree, Event::HandsFreeSilence, State::NothingHeard},
    {HandsFree, Event::HandsFreeIdle, State::NothingHeard},
    {HandsFree, Event::HandsFreeStop, State::Idle},
    {HandsFree, Event::Timeout, State::Idle},
    {Rest | HandsFree, Event::HandsFreeFailure, State::Error},

    {Turn, Event::Cancel, State::Idle},
    {Rest, Event::RequestFailure, State::Error},
    {Turn | of(State::Error), Event::BackendLoss, State::ErrorUntilReady},
    {of(State::ErrorUntilReady), Event::BackendReturn, State::Idle},
    {Errors, Event::Dismissal, State::Idle},
    {Errors | of(State::NothingHeard), Event::Timeout, State::Idle},
};

constexpr bool contains(States states, State state)
{
    return (states & of(state)) != 0;
}

} // namespace

Conversation::State Conversation::next(State state, Event event)
{
    for (const Transition &transition : Transitions) {
        if (transition.event == event && contains(transition.from, state))
            return transition.to;
    }
    return state;
}

bool Conversation::isPushToTalk(State state)
{
    return contains(PushToTalk, state);
}

bool Conversation::isTurn(State state)
{
    return contains(Turn, state);
}

bool Conversation::isError(State state)
{
    return contains(Errors, state);
}
