import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin'

/** Two words in a row. */
const PROSE = /\p{L}[\p{L}"`'’,;:.)]* [("`]*\p{L}/u

/** Sentences that people read: what they say is not tested word for word, and no code depends on it. */
export const strykerPlugins = [
  declareValuePlugin(PluginKind.Ignore, 'prose', {
    shouldIgnore({ node }) {
      const text =
        node.type === 'StringLiteral'
          ? node.value
          : node.type === 'TemplateLiteral'
            ? node.quasis.map(({ value }) => value.raw).join('x')
            : ''
      return PROSE.test(text) ? 'Text for people to read.' : undefined
    },
  }),
]
