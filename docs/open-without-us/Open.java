// Opens Rowseal envelopes by docs/spec/envelope-v1.md alone: input and output as in open.py. Java 17 and later.
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.CodingErrorAction;
import java.util.*;
import java.util.regex.*;
import javax.crypto.Cipher;
import javax.crypto.spec.*;
import static java.nio.charset.StandardCharsets.UTF_8;

public class Open {
  static String open(byte[] key, String field, String text, List<String> bound) throws Exception {
    Matcher form = Pattern.compile("rs1\\.([0-9a-f]{8})\\.([A-Za-z0-9_-]+)").matcher(text);
    check(form.matches());
    byte[] body = Base64.getUrlDecoder().decode(form.group(2));
    check(Base64.getUrlEncoder().withoutPadding().encodeToString(body).equals(form.group(2)));
    int blob = ByteBuffer.wrap(body).getShort(1) & 0xffff, at = body[0] == 1 ? 61 : 3 + blob;
    check(body[0] == 1 || (body[0] == 2 && blob >= 1 && blob <= 4096));
    check(body.length > at + 28);
    if (body[0] == 1) { // wrap nonce, wrapped DEK with its tag
      byte[] aad = ByteBuffer.allocate(19).put("rowseal/v1/dek\1".getBytes(UTF_8)).put(HexFormat.of().parseHex(form.group(1))).array();
      key = gcm(key, body, 1, 61, aad);
    }
    var aad = new ByteArrayOutputStream();
    aad.write("rowseal/v1/value".getBytes(UTF_8));
    aad.write(body[0]);
    lp(aad, field);
    aad.write(bound.size());
    for (String part : bound) lp(aad, part);
    byte[] plain = gcm(key, body, at, body.length, aad.toByteArray());
    String codec = Map.of(1, "String", 2, "Json", 3, "Bytes").get(plain[0] & 0x7f);
    int from = plain[0] < 0 ? 5 : 1, to = plain[0] < 0 ? 5 + ByteBuffer.wrap(plain).getInt(1) : plain.length;
    check(codec != null && from <= to && to <= plain.length && (from == 1 || plain.length > 5));
    for (int i = to; i < plain.length; i++) check(plain[i] == 0);
    if (!codec.equals("Bytes")) UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT).decode(ByteBuffer.wrap(plain, from, to - from));
    return codec + "\t" + HexFormat.of().formatHex(plain, from, to);
  }

  static byte[] gcm(byte[] key, byte[] of, int from, int to, byte[] aad) throws Exception {
    check(key.length == 32);
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, of, from, 12));
    cipher.updateAAD(aad);
    return cipher.doFinal(of, from + 12, to - from - 12);
  }

  static void lp(ByteArrayOutputStream to, String part) throws IOException {
    byte[] bytes = part.getBytes(UTF_8);
    to.write(ByteBuffer.allocate(4).putInt(bytes.length).array());
    to.write(bytes);
  }

  static void check(boolean isRight) {
    if (!isRight) throw new IllegalArgumentException();
  }

  public static void main(String[] none) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      String[] part = line.split("\t", -1);
      try {
        System.out.println(open(HexFormat.of().parseHex(part[0]), part[1], part[2], List.of(part).subList(3, part.length)));
      } catch (Exception refused) {
        System.out.println("refused");
      }
    }
  }
}
