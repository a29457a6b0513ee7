import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readElements } from './sts.fixture.ts';
import { writeXml } from './xml.ts';

describe('writeXml', () => {
  it('writes elements in the order given', () => {
    assert.equal(
      writeXml('A', { B: 'one', C: { D: 'two', E: '' } }, 'urn:x'),
      '<A xmlns="urn:x"><B>one</B><C><D>two</D><E></E></C></A>',
    );
  });

  it('escapes what XML would take for its own', () => {
    assert.equal(writeXml('A', `<&>"'`), '<A>&lt;&amp;&gt;&quot;&apos;</A>');
  });

  it('replaces what XML cannot hold, and keeps line breaks and tabs', () => {
    assert.equal(writeXml('A', 'a\u0000b\u001fc\td\ne\uffff'), '<A>a\ufffdb\ufffdc\td\ne\ufffd</A>');
  });

  it('is read back as it was', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', ';', ']', ' ') }),
        (text) => {
          assert.equal(readElements(writeXml('A', { B: text })).B, text);
        },
      ),
    );
  });
});
