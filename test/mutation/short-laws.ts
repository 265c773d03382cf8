/** Under a mutant a law is tried for a moment only: there are thousands of mutants. */
import fc from 'fast-check';

// The plugin that is to be used instead can be set for one law, not for all.
// eslint-disable-next-line @typescript-eslint/no-deprecated
fc.configureGlobal({ interruptAfterTimeLimit: 200, markInterruptAsFailure: false });
