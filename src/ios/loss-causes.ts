/** Why packets were lost between the kernel and the engine, as the log and `show ip inspect statistics` tell it. */
export const LOSS_CAUSES = {
  kernelQueueDropped: "the kernel's queue was full",
  kernelUserDropped: 'the socket of the queue was full',
  badVerdicts: 'their verdict was not one that can be sent',
  verdictErrors: 'the kernel refused their verdict',
  injectErrors: 'the kernel did not send them',
  unknownInterface: 'they came in by an interface that is not mapped',
} as const;
