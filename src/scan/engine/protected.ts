/** Of all that data protection makes: the magic bytes 09 F0 C9 F0, and the 16 bytes of the key's id (KeyRingBasedDataProtector). */
const HEADER = /^CfDJ8[\w-]{22}/;

/** The id of the key that protects a text of ASP.NET Core's data protection, as GUIDs are written; nothing for other texts. */
export function protectedBy(text: string): { keyId?: string } {
  const [header] = HEADER.exec(text) ?? [];
  if (header === undefined) return {};
  const bytes = Buffer.from(header, 'base64url');
  if (bytes.length < 20 || bytes.readUInt32BE(0) !== 0x09f0c9f0) return {};
  const id = Buffer.from(bytes.subarray(4, 20));
  // The first three parts of a GUID are numbers in the order of the machine.
  id.subarray(0, 4).reverse();
  id.subarray(4, 6).reverse();
  id.subarray(6, 8).reverse();
  return { keyId: id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') };
}
