/**
 * Code with a defect that chance does not find: it stands behind a mark of four characters, a number between 100 and
 * 200, and a word that stands nowhere in the source.
 *
 * @throws TypeError for one kind of input
 */
export function planted(text: string): number {
  if (!text.startsWith('p')) return 0;
  if (text[1] === 'o') {
    if (text[2] === 'd') {
      if (text[3] === ':') {
        const [, amount = '', word = ''] = text.split(':');
        const number = Number(amount);
        if (number > 100 && number < 200) {
          if (word === Buffer.from('pass').toString('hex')) throw new TypeError('planted');
        }
        return number;
      }
    }
  }
  return 1;
}
