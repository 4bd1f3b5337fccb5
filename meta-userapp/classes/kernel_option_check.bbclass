# Fails the kernel's build when an option that a fragment asks for is not in the resulting configuration. Kconfig
# drops silently what doesn't exist or lacks what it depends on, and that shows only on the device.
#
# KERNEL_OPTION_FRAGMENTS: names of fragments in SRC_URI that are checked.
KERNEL_OPTION_FRAGMENTS ??= ""

def kernel_options(lines):
    """The options that a fragment or a .config sets; one that is switched off is 'n'."""
    import re

    options = {}
    for line in lines:
        given = re.match(r'(CONFIG_\w+)=(.*)$', line.strip())
        off = re.match(r'# (CONFIG_\w+) is not set$', line.strip())
        if given:
            options[given.group(1)] = given.group(2)
        elif off:
            options[off.group(1)] = 'n'
    return options

def kernel_options_missing(wanted, configured):
    """Those of `wanted` that `configured` doesn't fulfil, as lines of text. Built in is as good as a module."""
    missing = []
    for option, value in sorted(wanted.items()):
        result = configured.get(option, 'n')
        if result != value and not (value == 'm' and result == 'y'):
            missing.append('%s=%s, but it is %s' % (option, value, result))
    return missing

python do_check_kernel_options() {
    wanted = {}
    for fragment in d.getVar('KERNEL_OPTION_FRAGMENTS').split():
        with open(os.path.join(d.getVar('WORKDIR'), fragment), encoding='utf-8') as lines:
            options = kernel_options(lines)
        if not options:
            bb.fatal('%s asks for no option' % fragment)
        wanted.update(options)
    with open(d.expand('${B}/.config'), encoding='utf-8') as lines:
        configured = kernel_options(lines)
    missing = kernel_options_missing(wanted, configured)
    if missing:
        bb.fatal('These kernel options were asked for and did not take effect:\n  %s\nSee what they depend on, '
                 'or take them out of %s' % ('\n  '.join(missing), d.getVar('KERNEL_OPTION_FRAGMENTS')))
    bb.note('All %d options took effect' % len(wanted))
}
addtask check_kernel_options after do_configure before do_compile
