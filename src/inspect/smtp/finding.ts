/** What SMTP inspection can report; one member for each kind of intervention. `ios/messages.ts` words them. */
export type SmtpFinding =
  | {
      kind: 'invalid-command';
      /** The line as the client sent it and as it goes on, without CR LF, cut to 512 bytes, as Latin-1 text. */
      before: string;
      after: string;
      /** Why: unknown verb, no blank after the verb, … in a few words. */
      why: string;
    }
  | { kind: 'max-data-exceeded'; limit: number };
