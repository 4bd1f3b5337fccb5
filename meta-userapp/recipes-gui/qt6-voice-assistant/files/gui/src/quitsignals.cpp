#include "quitsignals.h"

#include <QCoreApplication>
#include <QSocketNotifier>

#include <csignal>

#include <fcntl.h>
#include <unistd.h>

/// A signal's handler may do little more than write.
static volatile std::sig_atomic_t pipeOfHandler = -1;

static void onSignal(int /*number*/)
{
    const char byte = 0;
    [[maybe_unused]] const auto written = ::write(pipeOfHandler, &byte, 1);
}

QuitSignals::QuitSignals(QObject *parent)
    : QObject(parent)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return; // they end the program at once, as they do by default
    m_reader = ends[0];
    m_writer = ends[1];
    pipeOfHandler = m_writer;
    auto *notifier = new QSocketNotifier(m_reader, QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, QCoreApplication::instance(), &QCoreApplication::quit);
    std::signal(SIGTERM, onSignal);
    std::signal(SIGINT, onSignal);
}

QuitSignals::~QuitSignals()
{
    if (m_reader < 0)
        return;
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    pipeOfHandler = -1;
    ::close(m_reader);
    ::close(m_writer);
}
